import { vi } from 'vitest';
import { faultsSuite } from './test-support/faults.suite.ts';

vi.mock('undici', () => import('undici-v7'));

faultsSuite('undici 7');
