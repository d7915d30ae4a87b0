/** `evenkeel-gateway real` in a namespace of its own, until its input ends. */
import { runReal } from '../command.ts';

const stop = new AbortController();
process.stdin.resume();
process.stdin.on('end', () => stop.abort());
process.exitCode = await runReal(process.argv.slice(2), { signal: stop.signal });
process.stdin.pause();
