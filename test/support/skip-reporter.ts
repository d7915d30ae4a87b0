import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Lists what was skipped and why, above the summary: a skipped test must not go unnoticed. */
export class SkipReporter implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[]): void {
    const byReason = new Map<string, number>();
    for (const module of testModules) {
      for (const test of module.children.allTests('skipped')) {
        if (!isDeliberate(test)) continue;
        const line = describe(module, test);
        byReason.set(line, (byReason.get(line) ?? 0) + 1);
      }
    }
    if (byReason.size === 0) return;
    const lines = [...byReason].map(([line, count]) => `  ${count} skipped: ${line}`);
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

/** Tests after a failed hook count as skipped too; the failure says enough about those. */
function isDeliberate(test: TestCase): boolean {
  return test.options.mode !== 'run' || noteOf(test) !== undefined;
}

function noteOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}

function describe(module: TestModule, test: TestCase): string {
  const note = noteOf(test);
  const suite = test.parent.type === 'suite' ? test.parent.fullName : test.name;
  return note === undefined
    ? `${module.relativeModuleId}: ${suite}`
    : `${module.relativeModuleId}: ${suite} (${note})`;
}
