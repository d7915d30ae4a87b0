/** What the page about proxies says beside its tables. */
import type { Page } from './render.ts';

export const PROXY_PAGE: Page = {
  title: 'A proxy',
  introduction: `<!-- Written by scripts/generate-config-reference.ts from the schemas. Do not edit. -->

# Options of a proxy

What \`createProxy\` and \`proxy.apply\` take, and what a file holds for \`openProxyFile\`. Both use the same words, with two
differences. In code \`clusters\` is a list of clusters that were made by \`createCluster\`; in a file it holds the options
of each by its name. In files a duration loses its \`Ms\` and says its unit: \`timeouts: { headMs: 5000 }\` in code is
\`timeouts: { head: 5s }\` in a file.

Unknown options are errors, everywhere. An error names the file, line and column, the place, what is allowed there and what
was found; all errors of a configuration are told at once. \`proxyJsonSchema({ form: 'file' })\` says the same to editors.

What a change of each of these does to a proxy that runs: [configuration of a proxy](../guides/proxy-config.md).
`,
  elsewhere: {
    'A cluster':
      'All of [the options of a cluster](cluster-config.md), but for `name`, which is the key.',
  },
};
