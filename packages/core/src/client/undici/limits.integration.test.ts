import { limitsSuite } from './test-support/limits.suite.ts';

limitsSuite('undici 8');
