import { vi } from 'vitest';
import { limitsSuite } from './test-support/limits.suite.ts';

vi.mock('undici', () => import('undici-v7'));

limitsSuite('undici 7');
