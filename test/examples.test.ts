/** Every example runs as its header says, ends by itself and says something. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot, runProcess } from './support/run-process.ts';

const names = (await readdir(join(repositoryRoot, 'examples'))).filter((name) =>
  name.endsWith('.ts'),
);

describe('examples', () => {
  it.each(names)('%s', async (name) => {
    const { code, stdout, stderr } = await runProcess('node', [
      '--conditions=@evenkeel/source',
      `examples/${name}`,
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').length).toBeGreaterThan(1);
  });
});
