import { answersSuite } from './test-support/answers.suite.ts';

answersSuite('undici 8');
