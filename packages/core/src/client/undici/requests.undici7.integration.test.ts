import { vi } from 'vitest';
import { requestsSuite } from './test-support/requests.suite.ts';

vi.mock('undici', () => import('undici-v7'));

requestsSuite('undici 7');
