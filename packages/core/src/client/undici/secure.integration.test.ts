import { secureSuite } from './test-support/secure.suite.ts';

secureSuite('undici 8');
