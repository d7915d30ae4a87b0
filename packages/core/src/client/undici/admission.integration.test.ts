import { admissionSuite } from './test-support/admission.suite.ts';

admissionSuite('undici 8');
