import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { ConfigDocument } from './config-document.ts';

const environment = { PORT: '8080', NAME: 'users', EMPTY: '', ODD: 'a # b', LIST: '[1, 2]' };

const read = (text: string, format: 'json' | 'yaml' = 'yaml'): Promise<ConfigDocument> =>
  ConfigDocument.read(text, { name: `app.${format}`, format, environment });

const valueOf = async (text: string): Promise<unknown> => (await read(`v: ${text}`)).value;

const located = async (
  text: string,
  path: string,
  { format = 'yaml', expected = 'x' }: { format?: 'json' | 'yaml'; expected?: string } = {},
): Promise<string> => {
  const document = await read(text, format);
  return document.locate(new ConfigError([{ path, expected, actual: 'y' }])).message;
};

describe('variables of the environment', () => {
  it.each([
    ['${PORT}', 8080],
    ["'${PORT}'", '8080'],
    ['"${PORT}"', '8080'],
    ['127.0.0.1:${PORT}', '127.0.0.1:8080'],
    ['${NAME}-${NAME}', 'users-users'],
    ['${NO:-5s}', '5s'],
    ['${NO:-7}', 7],
    ['${NO:-}', ''],
    ['${EMPTY:-x}', 'x'],
    ['${EMPTY}', ''],
    ['$${PORT}', '${PORT}'],
    ['$PORT', '$PORT'],
    ['${ODD}', 'a # b'],
    ['${LIST}', '[1, 2]'],
    ['${NO:-true}', true],
    ['|-\n  ${NAME}\n  8080', 'users\n8080'],
  ])('%s is %j', async (text, value) => {
    expect(await valueOf(text)).toEqual({ v: value });
  });

  it('are not looked for in keys', async () => {
    expect((await read('"${PORT}": 1')).value).toEqual({ '${PORT}': 1 });
  });

  it('are texts in JSON, where a text has quotes', async () => {
    expect((await read('{"v": ["${PORT}"]}', 'json')).value).toEqual({ v: ['8080'] });
  });

  it('that are missing are told all at once, with their places', async () => {
    await expect(read('a: ${ONE}\nb:\n  - x${TWO}\n')).rejects.toThrow(
      'app.yaml:1:4 a: expected the environment variable ONE, or a default: ${ONE:-...}, got nothing; ' +
        'app.yaml:3:5 b[0]: expected the environment variable TWO, or a default: ${TWO:-...}, got nothing',
    );
  });

  it.each(['${}', '${1A}', '${A B}', '${PORT', '${A:=x}'])('are not written %s', async (text) => {
    await expect(read(`v: "${text}"`)).rejects.toThrow(
      'app.yaml:1:4 v: expected a variable, ${NAME} or ${NAME:-default}',
    );
  });

  it('are none where none are given', async () => {
    const options = { name: 'a', format: 'yaml' } as const;
    await expect(ConfigDocument.read('v: ${PATH}', options)).rejects.toThrow('PATH');
  });
});

const TEXT = `clusters:
  users.prod:
    discovery:
      - 10.0.0.1:80
listeners:
  - listen: 127.0.0.1:80
    http: { routes: [] }
`;

describe('the place of an issue', () => {
  it.each([
    ['listeners[0].listen', '6:13'],
    ['listeners[0].http.routes', '7:21'],
    ['clusters.users.prod.discovery[0]', '4:9'],
    ['listeners[0].http.filters', '7:11'],
    ['listeners[3].listen', '6:3'],
    ['timeouts', '1:1'],
    ['config', '1:1'],
    ['', '1:1'],
  ])('%s is at %s', async (path, position) => {
    expect(await located(TEXT, path)).toBe(`app.yaml:${position} ${path}: expected x, got y`);
  });

  it('is that of the key, where the key is wrong', async () => {
    const expected = "no such option; did you mean 'listen'?";
    expect(await located(TEXT, 'listeners[0].listen', { expected })).toContain('app.yaml:6:5 ');
    expect(await located(TEXT, 'clusters', { expected })).toContain('app.yaml:1:1 ');
  });

  it('is found in JSON, too', async () => {
    const text = '{\n\t"listeners": [\n\t\t{ "listen": 7 }\n\t]\n}';
    expect(await located(text, 'listeners[0].listen', { format: 'json' })).toBe(
      'app.json:3:15 listeners[0].listen: expected x, got y',
    );
  });
});

describe('a text that is none', () => {
  it.each<[string, 'json' | 'yaml', RegExp]>([
    ['a: [', 'yaml', /^app\.yaml:1:5: expected YAML, got /],
    ['a: 1\na: 2', 'yaml', /^app\.yaml:2:1: expected YAML, got Map keys must be unique/],
    ['a: !!js/function "x"', 'yaml', /^app\.yaml:1:4: expected YAML, got Unresolved tag/],
    ['a: 1\n---\nb: 2', 'yaml', /^app\.yaml:2:1: expected YAML, got /],
    ['a: *b', 'yaml', /^app\.yaml:1:1: expected YAML, got Unresolved alias/],
    ['{"a": 1,}', 'json', /^app\.json:1:9: expected JSON, got /],
    ['', 'json', /^app\.json:1:1: expected JSON, got /],
  ])('%j (%s) is refused with its place', async (text, format, message) => {
    await expect(read(text, format)).rejects.toThrow(ConfigError);
    await expect(read(text, format)).rejects.toThrow(message);
  });

  it('may not grow by its aliases', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i += 1)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    await expect(read(lines.join('\n'))).rejects.toThrow(/^app\.yaml:1:1: expected YAML, got /);
  });

  it('may not be as deep as a stack', async () => {
    const deep = `${'['.repeat(70)}${']'.repeat(70)}`;
    await expect(read(deep, 'json')).rejects.toThrow('nested deeper than 64 levels');
  });

  it('may use aliases for what is the same', async () => {
    expect((await read('a: &x\n  k: ${PORT}\nb: *x')).value).toEqual({
      a: { k: 8080 },
      b: { k: 8080 },
    });
  });
});
