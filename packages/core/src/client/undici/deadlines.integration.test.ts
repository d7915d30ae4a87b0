import { deadlinesSuite } from './test-support/deadlines.suite.ts';

deadlinesSuite('undici 8');
