import { faultsSuite } from './test-support/faults.suite.ts';

faultsSuite('undici 8');
