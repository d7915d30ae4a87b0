/**
 * A million requests through a proxy whose configuration changes a hundred times, with endpoints that come and go: how
 * many are dropped, and how many get an answer that is not theirs. Both have to be 0. What changes each time: the routes
 * of all paths, names of routes, listeners, clusters, timeouts, limits, access log; clients, proxy and origins share one
 * thread, so requests per second are context only.
 */
import { runReloads } from '../../../test/support/reload/reload-run.ts';
import type { Figures, Suite } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';

const REQUESTS = 1_000_000;
const QUICK_REQUESTS = 20_000;
const RELOADS = 100;

export const suite: Suite = {
  description: 'requests dropped or mixed up over 100 changes of configuration, of a million',
  async run({ print, quick }): Promise<Figures> {
    const requests = quick ? QUICK_REQUESTS : REQUESTS;
    const result = await runReloads({ requests, reloads: RELOADS });
    const { failed, mixedUp, askedAgain, reloads, endpointChanges, seconds, leftOver } = result;
    const left = Object.values(leftOver).reduce((sum, count) => sum + count, 0);
    print(
      formatTable(
        ['', 'count'],
        [
          ['requests answered as they had to be', result.requests],
          ['requests that failed', failed],
          ['requests with an answer that is not theirs', mixedUp],
          ['pipelined requests sent again, as the proxy had told', askedAgain],
          ['changes of configuration', reloads],
          ['endpoints that came or left', endpointChanges],
          ['lines of access logs', result.logLines],
          ['left over afterwards', left],
          ['requests per second', result.requests / seconds],
        ],
      ),
    );
    for (const line of result.wrong) print(line);
    return {
      'reload-requests': result.requests,
      'reload-failed': failed,
      'reload-mixed-up': mixedUp,
      'reload-asked-again': askedAgain,
      'reload-count': reloads,
      'reload-endpoint-changes': endpointChanges,
      'reload-left-over': left,
      'reload-seconds': seconds,
    };
  },
};
