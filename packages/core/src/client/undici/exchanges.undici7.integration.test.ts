import { vi } from 'vitest';
import { exchangesSuite } from './test-support/exchanges.suite.ts';

vi.mock('undici', () => import('undici-v7'));

exchangesSuite('undici 7');
