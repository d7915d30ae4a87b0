import { vi } from 'vitest';
import { abortsSuite } from './test-support/aborts.suite.ts';

vi.mock('undici', () => import('undici-v7'));

abortsSuite('undici 7');
