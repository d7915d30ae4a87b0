/** Renders the reference of a gateway's metrics from the code's own list of them. */

/** A metric as `GATEWAY_METRICS` has it. */
export interface MetricEntry {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

const INTRODUCTION = `<!-- Written by scripts/generate-config-reference.ts from the code. Do not edit. -->

# Metrics of a gateway

What \`/metrics\` of the admin server shows, and what \`createGatewayMetrics\` of \`@evenkeel/l4-gateway/metrics\` puts into a
registry of prom-client. Nothing is done per packet: a scrape reads what the program in the kernel counts anyway. The
server shows the [metrics of the clusters](../concepts/telemetry.md) beside them.

The number of series is bounded: the first 1,000 reals over all VIPs, in the order of the configuration, have series of
their own (\`maxReals\`), and \`evenkeel_gateway_reals_unlabelled\` says how many have not. Counters outlive a restart as the
flows do, except for those of VIPs, which begin anew with the reals that the VIP has then.

\`reason\`, \`answer\` and \`kind\` are the counters of the [forwarder](../guides/l4-gateway.md), with underscores:
\`noReal\` is \`no_real\`.
`;

export function renderMetrics(metrics: readonly MetricEntry[]): string {
  const rows = metrics.map(({ name, type, help, labels }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`evenkeel_${name}\` | ${type} | ${shown} | ${help} |`;
  });
  return [
    INTRODUCTION,
    '| metric | type | labels | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
