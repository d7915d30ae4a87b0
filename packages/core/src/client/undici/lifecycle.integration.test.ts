import { lifecycleSuite } from './test-support/lifecycle.suite.ts';

lifecycleSuite('undici 8');
