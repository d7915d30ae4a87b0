import { abortsSuite } from './test-support/aborts.suite.ts';

abortsSuite('undici 8');
