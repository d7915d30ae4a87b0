import { vi } from 'vitest';
import { hedgesSuite } from './test-support/hedges.suite.ts';

vi.mock('undici', () => import('undici-v7'));

hedgesSuite('undici 7');
