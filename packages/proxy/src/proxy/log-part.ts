import type { Runtime } from '@evenkeel/core';
import { RequestLog, type RequestLogOptions } from '../observability/access-log/request-log.ts';
import type { Part } from './parts.ts';

/** How long the end of the access log may take. */
const LOG_MS = 5_000;

/** An access log that ends with the last request that is to be in it. */
export class LogPart implements Part {
  readonly log: RequestLog;

  constructor(options: RequestLogOptions, runtime: Runtime) {
    this.log = new RequestLog(options, runtime);
  }

  close(): Promise<void> {
    return this.log.close(LOG_MS);
  }
}
