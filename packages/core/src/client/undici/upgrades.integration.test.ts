import { upgradesSuite } from './test-support/upgrades.suite.ts';

upgradesSuite('undici 8');
