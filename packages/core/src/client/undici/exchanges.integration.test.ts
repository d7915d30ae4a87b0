import { exchangesSuite } from './test-support/exchanges.suite.ts';

exchangesSuite('undici 8');
