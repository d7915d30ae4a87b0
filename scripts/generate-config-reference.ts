/**
 * Writes docs/reference/cluster-config.md from the schemas of the code. A test fails when the page is stale.
 *
 *   npm run reference
 */
import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { clusterJsonSchema } from '@evenkeel/core';
import { consulSource } from '@evenkeel/core/consul';
import { etcdSource } from '@evenkeel/core/etcd';
import { zookeeperSource } from '@evenkeel/core/zookeeper';
import { renderReference } from './reference/render.ts';

/** Where the page stands. */
export const REFERENCE_FILE: URL = new URL('../docs/reference/cluster-config.md', import.meta.url);

/** The page as it has to be, formatted as the repository is. */
export async function configReference(): Promise<string> {
  const sources = [consulSource, etcdSource, zookeeperSource];
  const page = renderReference({
    code: clusterJsonSchema({ form: 'code', sources }),
    file: clusterJsonSchema({ form: 'file', sources }),
  });
  return format(page, { ...(await resolveConfig(REFERENCE_FILE)), parser: 'markdown' });
}

if (import.meta.main) writeFileSync(REFERENCE_FILE, await configReference());
