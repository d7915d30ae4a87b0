import { describe, expect, it } from 'vitest';
import { messageOf } from '../../error/evenkeel-error.ts';
import type { FileFormat } from './config.ts';
import { parseEndpoints } from './parse-endpoints.ts';

interface Options {
  readonly format: FileFormat;
  readonly allowEmpty?: boolean;
}

async function idsOf(text: string, options: Options): Promise<string[]> {
  const set = await parseEndpoints(text, { allowEmpty: false, maxBytes: 1_048_576, ...options });
  return set.endpoints.map(({ id }) => id);
}

async function errorOf(text: string, options: Options): Promise<string> {
  return idsOf(text, options).then(
    (ids) => `no error but ${ids.join(' ')}`,
    (error: unknown) => messageOf(error),
  );
}

const json = { format: 'json' } as const;
const yaml = { format: 'yaml' } as const;

describe('parseEndpoints', () => {
  it.each([
    {
      what: 'a JSON list',
      text: '["10.0.0.1:80", {"host": "10.0.0.2", "port": 80}]',
      options: json,
    },
    { what: 'a JSON object', text: '{"endpoints": ["10.0.0.1:80", "10.0.0.2:80"]}', options: json },
    { what: 'a YAML list', text: '- 10.0.0.1:80\n- { host: 10.0.0.2, port: 80 }\n', options: yaml },
    {
      what: 'a YAML object',
      text: 'endpoints:\n  - 10.0.0.1:80\n  - 10.0.0.2:80\n',
      options: yaml,
    },
    { what: 'JSON read as YAML', text: '["10.0.0.1:80", "10.0.0.2:80"]', options: yaml },
    {
      what: 'a YAML comment and document start',
      text: '# ours\n---\n- 10.0.0.1:80\n- 10.0.0.2:80',
      options: yaml,
    },
  ])('reads $what', async ({ text, options }) => {
    expect(await idsOf(text, options)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  it('reads YAML anchors, used as often as one likes', async () => {
    const entries = Array.from(
      { length: 300 },
      (_, i) => `- { host: h${i}, port: 80, locality: *a }`,
    );
    const text = `- { host: first, port: 80, locality: &a { zone: z } }\n${entries.join('\n')}`;
    expect(await idsOf(text, yaml)).toHaveLength(301);
  });

  it.each([
    { text: '', at: 'line 1, column 1: Unexpected end of JSON input' },
    { text: '[\n  "a:1",\n]', at: 'line 3, column 1: Unexpected token' },
    { text: '[\n  "a:1"\n  "b:1"]', at: 'line 3, column 3: Expected' },
    { text: '{"endpoints": ["a:1"', at: 'line 1, column 21: ' },
    { text: '{"endpoints": ["a:1]}', at: 'line 1, column 16: Unterminated string' },
    { text: "['a:1']", at: 'line 1, column 2: ' },
    { text: '["a:1"] x', at: 'line 1, column 9: ' },
    { text: '[01]', at: 'line 1, column 2: ' },
    { text: '["\\u12"]', at: 'line 1, column 2: Bad Unicode escape' },
  ])('says where JSON is broken: $at', async ({ text, at }) => {
    expect(await errorOf(text, json)).toContain(at);
    expect(await errorOf(text, json)).not.toContain('position');
  });

  it.each([
    { text: '- a:1\n- "b:1\n', at: 'line 3, column 1: Missing closing "quote' },
    { text: 'endpoints:\n  - a:1\n - b:1\n', at: 'line 3, column 1: ' },
    { text: '- a: 1\n  a: 2\n', at: 'line 2, column 3: Map keys must be unique' },
    { text: '\t- a:1', at: 'line 1, column 1: Tabs' },
    { text: '--- [a:1]\n--- [b:1]\n', at: 'line 2, column 1: ' },
    { text: '- !!js/function "x"', at: 'line 1, column 3: Unresolved tag' },
    { text: '- *missing', at: 'Unresolved alias' },
    { text: '- ? [a]\n  : b', at: 'line 1, column 5: ' },
  ])('says where YAML is broken: $at', async ({ text, at }) => {
    expect(await errorOf(text, yaml)).toContain(at);
  });

  it.each([
    {
      what: 'an unknown key',
      json: '[\n "a:1",\n {"address": "b:1",\n  "wieght": 5}]',
      yaml: '- a:1\n- address: b:1\n\n  wieght: 5\n',
      line: 4,
      problem: 'endpoints[1].wieght: expected no such option',
    },
    {
      what: 'a number out of range',
      json: '{"endpoints": [\n {"host": "a",\n  "port": 0}]}',
      yaml: 'endpoints:\n  - host: a\n    port: 0\n',
      line: 3,
      problem: 'endpoints[0].port: expected an integer from 1 to 65535, got 0',
    },
    {
      what: 'an id used twice',
      json: '[\n"a:1",\n"b:1",\n"a:1"]',
      yaml: '\n- a:1\n- b:1\n- a:1',
      line: 4,
      problem: 'endpoints[2]: expected an id not used before (see endpoints[0]), got "a:1"',
    },
    {
      what: 'another key beside the list',
      json: '{"endpoints": ["a:1"],\n "version": 3}',
      yaml: 'endpoints: [a:1]\nversion: 3',
      line: 2,
      problem: 'version: expected no such option (known: endpoints), got 3',
    },
    {
      what: 'a text in place of the list',
      json: '{\n"endpoints": "a:1"}',
      yaml: '# x\nendpoints: a:1',
      line: 2,
      problem: 'endpoints: expected a list of endpoints, got "a:1"',
    },
  ])('says where $what stands', async (row) => {
    for (const format of ['json', 'yaml'] as const) {
      const error = await errorOf(row[format], { format });
      expect(error).toContain(row.problem);
      expect(error).toMatch(new RegExp(`^line ${row.line}, column \\d+: `));
    }
  });

  it.each(['null', '7', '"a:1"', 'true'])('refuses a document that is just %s', async (text) => {
    expect(await errorOf(text, json)).toContain('expected an object with endpoints');
    expect(await errorOf(text, yaml)).toContain('expected an object with endpoints');
  });

  it('refuses an empty list unless that is allowed', async () => {
    expect(await errorOf('[]', json)).toContain('allowEmpty');
    expect(await errorOf('endpoints: []', yaml)).toContain('allowEmpty');
    expect(await idsOf('[]', { format: 'json', allowEmpty: true })).toEqual([]);
  });

  it('keeps messages short whatever the file holds', async () => {
    const long = 'k'.repeat(300_000);
    expect((await errorOf(`[{"address": "a:1", "${long}": 1}]`, json)).length).toBeLessThan(500);
    expect((await errorOf(`[{"address": "${long}"}]`, json)).length).toBeLessThan(500);
    expect((await errorOf(`- ${long} "x`, yaml)).length).toBeLessThan(500);
  });

  it('keeps prototype keys from doing anything', async () => {
    expect(await errorOf('[{"address": "a:1", "__proto__": {"weight": 9}}]', json)).toContain(
      '__proto__',
    );
    expect(await errorOf('- address: a:1\n  __proto__: { weight: 9 }', yaml)).toContain(
      '__proto__',
    );
  });

  it('refuses alias bombs, cycles and deep nesting quickly', async () => {
    const levels = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i += 1) {
      levels.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`);
    }
    expect(await errorOf(levels.join('\n'), yaml)).toContain('its aliases expand to more');
    expect(await errorOf('&a [*a]', yaml)).toContain('nested deeper than 16 levels');
    expect(await errorOf(`endpoints: ${'['.repeat(100)}${']'.repeat(100)}`, yaml)).toContain(
      'nested deeper',
    );
    expect(await errorOf('['.repeat(100_000), yaml)).toMatch(/^line 1, column \d+: /);
    expect(await errorOf('['.repeat(100_000), json)).toMatch(/^line 1, column \d+: /);
    expect(await errorOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`, json)).toContain(
      'nested deeper',
    );
    expect(await errorOf('{"a":'.repeat(100_000), json)).toMatch(/^line 1, column \d+: /);
  });
});
