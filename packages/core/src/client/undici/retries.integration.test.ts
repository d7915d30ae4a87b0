import { retriesSuite } from './test-support/retries.suite.ts';

retriesSuite('undici 8');
