/**
 * Which policy for which trouble: plays a scenario with several policies on virtual time and compares them.
 *
 * Run: node --conditions=@evenkeel/source examples/simulator.ts
 *        [--scenario slow]             a built-in one, or a file: scenario.yaml, scenario.json
 *        [--policies peak-ewma,jsq]    jsq and sed are oracles
 *        [--load 85] [--seed 1]
 *        [--out report.html]           the plots
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createCircuitBreakers } from '@evenkeel/core/opossum';
import {
  decodeScenarioFile,
  type ScenarioOptions,
  scenarios,
  simulate,
  simulationReport,
  simulationTable,
} from '@evenkeel/core/testing';
import { parse } from 'yaml';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'slow' },
    policies: { type: 'string', default: 'round-robin,least-request,peak-ewma,jsq' },
    load: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});

/** YAML is a superset of JSON, so one parser reads both. */
async function scenarioNamed(name: string): Promise<ScenarioOptions> {
  const builtIn = Object.values(scenarios).find((scenario) => scenario.name === name);
  return builtIn ?? decodeScenarioFile(parse(await readFile(name, 'utf8')));
}

const scenario = await scenarioNamed(values.scenario);
const results = values.policies.split(',').map((policy) =>
  simulate(scenario, {
    policy,
    createCircuitBreakers,
    seed: Number(values.seed),
    loadPercent: values.load === undefined ? undefined : Number(values.load),
  }),
);

console.log(`${scenario.name}: ${scenario.description ?? ''}\n`);
console.log(simulationTable(results));
for (const { label, faults, servers } of results) {
  const struck = servers.filter(({ index }) =>
    faults.some((fault) => fault.servers.includes(index)),
  );
  if (struck.length === 0 || struck.length === servers.length) continue;
  const share = struck.reduce((sum, { shareToFair }) => sum + shareToFair, 0) / struck.length;
  console.log(`${label}: bad servers get ${share.toFixed(2)} times their fair share`);
}
if (values.out !== undefined) {
  await writeFile(values.out, simulationReport(results, `Simulation: ${scenario.name}`));
  console.log(`\nplots in ${values.out}`);
}
