import { hedgesSuite } from './test-support/hedges.suite.ts';

hedgesSuite('undici 8');
