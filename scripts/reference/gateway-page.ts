import type { Page } from './render.ts';

/** What the reference of a gateway's file says around its tables. */
export const GATEWAY_PAGE: Page = {
  introduction: `<!-- Written by scripts/generate-config-reference.ts from the schemas. Do not edit. -->

# The file of a gateway

What \`evenkeel-gateway run --config edge.yaml\` reads. The first column has the words of code
(\`decodeGatewayFile\` returns them), the second those of the file where they differ: a duration loses its \`Ms\` and says
its unit, \`drainTimeoutMs: 300000\` is \`drainTimeout: 5m\`.

Unknown options are errors. An error names the file, the line, the place, what is allowed there and what was found; all
errors are told at once. \`gatewayJsonSchema()\` says the same to editors.

Changes of \`vips\` and \`clusters\` take effect while the gateway runs, and touch nothing else. Of the others only
\`onStop\` and what a \`guard\` lets in do; a file that changes one of the rest is refused until the gateway is started again, which costs no packet.
`,
  title: 'A gateway',
  elsewhere: {
    'A cluster behind the gateway': `The [options of a cluster](cluster-config.md) that mean something without requests: \`discovery\`, \`health\`, \`panic\`
and \`topology\`. There is no \`policy\`, because flows are placed by the gateway's own Maglev tables, and no
\`outlierDetection\`, \`admission\` or \`drain\`: use \`drainTimeout\` of a VIP. One default differs: endpoints wait for their
first check (\`initial: unchecked\`).`,
  },
};
