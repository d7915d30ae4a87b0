import { chaosSuite } from './test-support/chaos.suite.ts';

chaosSuite('undici 8');
