import { vi } from 'vitest';
import { admissionSuite } from './test-support/admission.suite.ts';

vi.mock('undici', () => import('undici-v7'));

admissionSuite('undici 7');
