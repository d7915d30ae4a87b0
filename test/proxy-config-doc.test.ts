import { readFileSync } from 'node:fs';
import { ConfigDocument } from '@evenkeel/core/config';
import { decodeProxyFile } from '@evenkeel/proxy';
import { expect, it } from 'vitest';

const guide = readFileSync(new URL('../docs/guides/proxy-config.md', import.meta.url), 'utf8');

it('the first file of the guide is one', async () => {
  const [, text = ''] = /```yaml\n([^]*?)```/.exec(guide) ?? [];
  const { value } = await ConfigDocument.read(text, { name: 'proxy.yaml', format: 'yaml' });
  const { clusters, options } = decodeProxyFile(value);
  expect([...clusters.keys()]).toEqual(['users', 'web']);
  expect(options.listeners[0]?.http?.routes).toHaveLength(2);
});
