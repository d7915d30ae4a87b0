import { vi } from 'vitest';
import { answersSuite } from './test-support/answers.suite.ts';

vi.mock('undici', () => import('undici-v7'));

answersSuite('undici 7');
