import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { GatewayStatus } from '../gateway/status.ts';
import { EXIT, runGatewayCommand } from './index.ts';
import { rateTable } from './top.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const code = await runGatewayCommand(argv, {
    out: (text) => (out += text),
    error: (text) => (error += text),
    isTty: false,
    stop: new AbortController().signal,
    onReload: () => () => undefined,
  });
  return { code, out, error };
}

const CONFIG = `interface: eth0
vips: [{ address: 203.0.113.10, port: 443, cluster: web }]
clusters: { web: { discovery: ["10.0.0.1:443"] } }
`;

function file(text: string): string {
  const path = join(folder, 'edge.yaml');
  writeFileSync(path, text);
  return path;
}

describe('evenkeel-gateway', () => {
  it('lists its commands', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(EXIT.ok);
    for (const name of [
      'run',
      'check',
      'doctor',
      'top',
      'status',
      'explain',
      'flows',
      'trace',
      'detach',
      'real',
    ]) {
      expect(out).toMatch(new RegExp(`^  ${name} +\\S`, 'mu'));
    }
    expect((await run()).code).toBe(EXIT.usage);
  });

  it('has a help for each', async () => {
    for (const name of [
      'run',
      'check',
      'doctor',
      'top',
      'status',
      'explain',
      'flows',
      'trace',
      'detach',
    ]) {
      const { code, out } = await run(name, '--help');
      expect(code).toBe(EXIT.ok);
      expect(out).toContain(`usage: evenkeel-gateway ${name}`);
    }
    expect((await run('real', '--help')).out).toContain('--vip');
  });

  it.each([
    [['walk'], 'no command "walk"'],
    [['check'], '--config FILE is missing'],
    [['check', '--confg', 'x'], "Unknown option '--confg'"],
    [['run', '--config', 'x', '--keep', '--detach'], 'exclude each other'],
    [['run', '--config', 'x', '--log-format', 'xml'], 'expected text or json, got xml'],
    [['top', '--interval', '0'], 'expected a number from 0.1 to 3600, got 0'],
  ])('%j is wrong: %s', async (argv, said) => {
    const { code, error } = await run(...argv);
    expect(code).toBe(EXIT.usage);
    expect(error).toContain(said);
  });

  it('checks a file', async () => {
    const good = await run('check', '--config', file(CONFIG));
    expect(good).toMatchObject({ code: EXIT.ok, error: '' });
    expect(good.out).toContain('1 VIPs, 1 clusters');
    const wrong = await run('check', '-c', file(CONFIG.replace('port: 443', 'port: x')));
    expect(wrong.code).toBe(EXIT.usage);
    expect(wrong.error).toContain('vips[0].port: expected');
    const missing = await run('check', '-c', join(folder, 'missing.yaml'));
    expect(missing.code).toBe(EXIT.usage);
    expect(missing.error).toContain('ENOENT');
  });

  it('says when no gateway runs', async () => {
    const { code, error } = await run('status', '--name', 'nobody-has-this-name');
    expect(code).toBe(EXIT.failed);
    expect(error).toContain('no gateway "nobody-has-this-name" answers');
  });
});

describe('rateTable', () => {
  const status = (packets: number, bytes: number): GatewayStatus =>
    ({
      name: 'edge',
      ready: true,
      packets: { newFlow: 0 },
      vips: [
        {
          ...{ name: '203.0.113.10:443/tcp', cluster: 'web', packets, bytes },
          reals: [
            { address: '10.0.0.1', role: 'active', state: 'healthy', weight: 1, packets, bytes },
          ],
        },
      ],
    }) as unknown as GatewayStatus;

  it('shows what went through per second', () => {
    const table = rateTable(
      { status: status(1_000, 0), atMs: 0 },
      { status: status(25_600, 4_000_000_000), atMs: 2_000 },
    );
    expect(table).toMatch(/203\.0\.113\.10:443\/tcp +web +12\.3 k +2\.0 G/u);
    expect(table).toMatch(/^ {2}10\.0\.0\.1 +healthy +1 +12\.3 k +2\.0 G$/mu);
  });

  it('shows nothing of a counter that began anew', () => {
    const table = rateTable(
      { status: status(500, 500), atMs: 0 },
      { status: status(5, 5), atMs: 1_000 },
    );
    expect(table).toMatch(/web +0 +0$/mu);
  });
});
