import { requestsSuite } from './test-support/requests.suite.ts';

requestsSuite('undici 8');
