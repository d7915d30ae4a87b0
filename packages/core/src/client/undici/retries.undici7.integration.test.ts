import { vi } from 'vitest';
import { retriesSuite } from './test-support/retries.suite.ts';

vi.mock('undici', () => import('undici-v7'));

retriesSuite('undici 7');
