import type { SimulationResult } from '../result.ts';
import { COLUMNS } from './result-columns.ts';

/** Results as a table for terminals, a line per run. */
export function simulationTable(results: readonly SimulationResult[]): string {
  const severalScenarios = new Set(results.map(({ scenario }) => scenario)).size > 1;
  const lines = [
    [...(severalScenarios ? ['scenario'] : []), 'policy', ...COLUMNS.map(({ name }) => name)],
    ...results.map((result) => [
      ...(severalScenarios ? [result.scenario] : []),
      result.label,
      ...COLUMNS.map(({ valueOf, textOf }) => textOf(valueOf(result))),
    ]),
  ];
  const textColumns = severalScenarios ? 2 : 1;
  const widths = lines[0]?.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths?.[column] ?? 0;
          return column < textColumns ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
