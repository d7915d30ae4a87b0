import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runToSuccess } from './run-process.ts';

const LIMIT_MS = 240_000;
const LOOK_MS = 200;

/**
 * Builds all packages once per test run: a build empties the folders that another test file, in another process, packs.
 * The first one to come builds, the others wait.
 */
export async function buildOnce(): Promise<void> {
  const mark = join(tmpdir(), `evenkeel-build-${runId()}`);
  if (isFirst(mark)) {
    try {
      await runToSuccess('node', ['scripts/build.mjs'], { timeoutMs: LIMIT_MS });
    } catch (error) {
      // The next one tries, and tells the same.
      rmSync(mark, { recursive: true });
      throw error;
    }
    writeFileSync(join(mark, 'done'), '');
    return;
  }
  const limit = Date.now() + LIMIT_MS;
  while (!existsSync(join(mark, 'done'))) {
    if (!existsSync(mark)) return buildOnce();
    if (Date.now() > limit) throw new Error(`the build of another test file is not over: ${mark}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function isFirst(mark: string): boolean {
  try {
    mkdirSync(mark);
    return true;
  } catch {
    return false;
  }
}

/** The process that all test files of a run have as their parent, told apart from one that had its number before. */
function runId(): string {
  const proc = `/proc/${process.ppid}`;
  const startedAt = existsSync(proc) ? Math.trunc(statSync(proc).ctimeMs) : 0;
  return `${process.ppid}-${startedAt}`;
}
