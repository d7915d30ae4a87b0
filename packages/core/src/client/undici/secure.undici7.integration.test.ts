import { vi } from 'vitest';
import { secureSuite } from './test-support/secure.suite.ts';

vi.mock('undici', () => import('undici-v7'));

secureSuite('undici 7');
