import { vi } from 'vitest';
import { upgradesSuite } from './test-support/upgrades.suite.ts';

vi.mock('undici', () => import('undici-v7'));

upgradesSuite('undici 7');
