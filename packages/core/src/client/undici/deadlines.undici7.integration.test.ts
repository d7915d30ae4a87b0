import { vi } from 'vitest';
import { deadlinesSuite } from './test-support/deadlines.suite.ts';

vi.mock('undici', () => import('undici-v7'));

deadlinesSuite('undici 7');
