/** The scripted day, played once and judged. */
import { pause, type PastIncident, playDay } from './day.ts';
import { seconds } from './numbers.ts';
import { reportJson, reportText } from './report.ts';
import { openStage } from './stage.ts';
import { checksOf, MIN_REQUESTS, reactionsTo } from './verdict.ts';

/** A slow machine may take longer for the requests that the report is to rest on, but not for ever. */
const MAX_EXTRA_MS = 40_000;

export interface OnceOptions {
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** @returns the exit code: 1 when something was not as it should be */
export async function runOnce({ json, signal }: OnceOptions): Promise<number> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const stage = await openStage();
  try {
    const incidents: PastIncident[] = [];
    say('A day with six sample servers, in real processes, and 48 callers');
    await playDay(stage, {
      signal,
      onIncident: (incident) => {
        incidents.push(incident);
        say(`  ${seconds(incident.doneAtMs).padStart(7)}  ${incident.title}`);
      },
    });
    const latestMs = stage.load.nowMs() + MAX_EXTRA_MS;
    while (stage.load.requests < MIN_REQUESTS && stage.load.nowMs() < latestMs && !signal.aborted) {
      await pause(100, signal);
    }
    if (signal.aborted) return 130;
    stage.sampler.take();
    await stage.close();
    const reactions = reactionsTo(incidents, stage.sampler.samples);
    const checks = checksOf(stage.load, reactions);
    const day = { stage, incidents, reactions, checks };
    say(reportText(day));
    if (json) say(reportJson(day));
    return checks.every(({ passed }) => passed) ? 0 : 1;
  } finally {
    await stage.close();
  }
}
