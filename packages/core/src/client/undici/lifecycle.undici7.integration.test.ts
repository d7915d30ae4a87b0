import { vi } from 'vitest';
import { lifecycleSuite } from './test-support/lifecycle.suite.ts';

vi.mock('undici', () => import('undici-v7'));

lifecycleSuite('undici 7');
