/** The live mode: one day after the other until the user has seen enough. */
import { DAY, pause, playDay, restore } from './day.ts';
import { count, seconds } from './numbers.ts';
import { Screen } from './screen.ts';
import { FIRST_SERVERS, openStage, type Stage } from './stage.ts';
import { renderLine, renderView } from './view.ts';

const DRAW_MS = 250;
const LINE_MS = 1_000;
/** How much of the past the view needs. */
const MEMORY_MS = 10_000;
const MAX_EVENTS = 100;
/** Between two days, so that the servers that came back can be seen at work. */
const NIGHT_MS = 5_000;

/** @returns the exit code */
export async function runLive(signal: AbortSignal): Promise<number> {
  const stage = await openStage();
  const screen = process.stdout.isTTY ? new Screen(process.stdout) : undefined;
  const colour = (process.env['NO_COLOR'] ?? '') === '';
  let incident = DAY[0]?.title ?? '';
  const show = (): void => {
    forget(stage);
    if (screen === undefined) process.stdout.write(`${renderLine({ stage, incident })}\n`);
    else screen.draw(renderView({ stage, incident, colour, rows: screen.rows }));
  };
  const timer = setInterval(show, screen === undefined ? LINE_MS : DRAW_MS);
  try {
    while (!signal.aborted) {
      await playDay(stage, { signal, onIncident: ({ title }) => (incident = title) });
      await restore(stage, FIRST_SERVERS);
      incident = 'all servers are back';
      await pause(NIGHT_MS, signal);
    }
  } finally {
    clearInterval(timer);
    screen?.close();
    await stage.close();
  }
  const { requests, errors } = stage.load;
  process.stdout.write(
    `${count(requests)} requests in ${seconds(stage.load.nowMs())}, ${count(errors)} errors\n`,
  );
  return errors === 0 ? 0 : 1;
}

function forget({ load, sampler, events }: Stage): void {
  const beforeMs = load.nowMs() - MEMORY_MS;
  load.forgetBefore(beforeMs);
  sampler.forgetBefore(beforeMs);
  events.splice(0, events.length - MAX_EVENTS);
}
