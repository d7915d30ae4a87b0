/** What Consul says about one instance of a service, and the endpoint that it makes. */
import { messageOf } from '../../error/evenkeel-error.ts';
import { createEndpoint, type Endpoint, MAX_WEIGHT } from '../../model/endpoint.ts';
import { discoveryError } from '../discovery-error.ts';

/** Status of an instance as a whole: the worst of its checks. */
export type InstanceStatus = 'passing' | 'warning' | 'critical' | 'maintenance';

export interface EntryRules {
  /** The worst status that is still used. */
  readonly accept: 'passing' | 'warning' | 'any';
  /** Name of a tagged address to use instead of the plain one: `wan`. */
  readonly taggedAddress: string | undefined;
}

/** An instance that may be used; `rank` 0 is passing. */
export interface Instance {
  readonly endpoint: Endpoint;
  readonly rank: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** Consul allows 64 labels with 512 characters each on a service, and as many on a node. Tags have no limit. */
const MAX_LABELS = 256;
const MAX_LABEL_LENGTH = 4_096;
/** Consul marks maintenance as a critical check with one of these names. */
const NODE_MAINTENANCE = '_node_maintenance';
const SERVICE_MAINTENANCE = '_service_maintenance:';

const RANKS: Readonly<Record<InstanceStatus, number>> = {
  passing: 0,
  warning: 1,
  critical: 2,
  maintenance: 3,
};
const WORST_RANK: Readonly<Record<EntryRules['accept'], number>> = {
  passing: 0,
  warning: 1,
  any: 2,
};

/**
 * Makes an endpoint of an entry of `/v1/health/service` or of a prepared query.
 *
 * @returns undefined for an instance that is not to be used: critical, in maintenance
 * @throws EvenkeelError or ConfigError for an entry that makes no sense
 */
export function decodeEntry(raw: unknown, rules: EntryRules): Instance | undefined {
  const entry = fieldsOf(raw, 'entry');
  const node = fieldsOf(entry['Node'], 'Node');
  const service = fieldsOf(entry['Service'], 'Service');
  const status = statusOf(entry['Checks']);
  const rank = RANKS[status];
  if (rank > WORST_RANK[rules.accept]) return undefined;
  const { host, port } = addressOf(node, service, rules.taggedAddress);
  const metadata = labelsOf({ node, service, status });
  return {
    rank,
    endpoint: createEndpoint(
      {
        host,
        port,
        weight: weightOf(service['Weights'], status),
        locality: localityOf(node, service),
        metadata,
        // What its own checks call doubtful is spared, and used when the others cannot take all.
        degraded: rank > 0,
      },
      'entry',
    ),
  };
}

/** The worst check decides. An unknown word counts as critical: better one endpoint less than a broken one. */
function statusOf(checks: unknown): InstanceStatus {
  if (checks === undefined || checks === null) return 'passing';
  if (!Array.isArray(checks)) throw discoveryError('Checks is no list');
  let worst: InstanceStatus = 'passing';
  for (const raw of checks) {
    const check = fieldsOf(raw, 'check');
    const status = checkStatus(check['CheckID'], check['Status']);
    if (RANKS[status] > RANKS[worst]) worst = status;
  }
  return worst;
}

function checkStatus(id: unknown, status: unknown): InstanceStatus {
  if (status === 'passing' || status === 'warning') return status;
  const isMaintenance =
    typeof id === 'string' && (id === NODE_MAINTENANCE || id.startsWith(SERVICE_MAINTENANCE));
  return isMaintenance || status === 'maintenance' ? 'maintenance' : 'critical';
}

/** The service's own address; without one it is reached at its node's, as Consul itself takes it. */
function addressOf(
  node: Fields,
  service: Fields,
  tag: string | undefined,
): { host: string; port: number } {
  if (tag !== undefined) {
    const tagged = optionalFields(optionalFields(service['TaggedAddresses'])?.[tag]);
    if (tagged !== undefined) return { host: textOf(tagged, 'Address'), port: portOf(tagged) };
    const nodeAddress = optionalFields(node['TaggedAddresses'])?.[tag];
    if (typeof nodeAddress === 'string' && nodeAddress !== '') {
      return { host: nodeAddress, port: portOf(service) };
    }
  }
  const host = textOf(service, 'Address');
  return { host: host === '' ? textOf(node, 'Address') : host, port: portOf(service) };
}

function portOf(fields: Fields): number {
  const port = fields['Port'];
  if (typeof port !== 'number') throw discoveryError('Port is no number');
  return port;
}

/** Weights were added to Consul in 1.2.3; without them instances are equal. */
function weightOf(raw: unknown, status: InstanceStatus): number {
  const weights = optionalFields(raw);
  if (weights === undefined) return 1;
  const weight = weights[status === 'passing' ? 'Passing' : 'Warning'];
  if (typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0) return 1;
  return Math.min(weight, MAX_WEIGHT);
}

/** Consul's own locality (since 1.17), else labels of these names, of the service before the node's. */
function localityOf(
  node: Fields,
  service: Fields,
): { region: string; zone: string; subzone: string } {
  const own = optionalFields(service['Locality']) ?? optionalFields(node['Locality']);
  const serviceMeta = optionalFields(service['Meta']);
  const nodeMeta = optionalFields(node['Meta']);
  const part = (consulName: string, label: string): string =>
    labelOf(own?.[consulName]) ?? labelOf(serviceMeta?.[label]) ?? labelOf(nodeMeta?.[label]) ?? '';
  const region = part('Region', 'region');
  return {
    region: region === '' ? (labelOf(node['Datacenter']) ?? '') : region,
    zone: part('Zone', 'zone'),
    subzone: part('Subzone', 'subzone'),
  };
}

/** Labels of the service as they are; everything else under a prefix of its own. */
function labelsOf({
  node,
  service,
  status,
}: {
  readonly node: Fields;
  readonly service: Fields;
  readonly status: InstanceStatus;
}): Record<string, string> {
  const labels = new Map<string, string>();
  const add = (name: string, value: unknown): void => {
    const label = labelOf(value);
    if (label === undefined || labels.size >= MAX_LABELS) return;
    labels.set(name, label.slice(0, MAX_LABEL_LENGTH));
  };
  add('consul.status', status);
  add('consul.id', service['ID']);
  add('consul.node', node['Node']);
  add('consul.datacenter', node['Datacenter']);
  add('consul.namespace', service['Namespace']);
  add('consul.partition', service['Partition']);
  add('consul.peer', service['PeerName']);
  const tags: unknown = service['Tags'];
  if (Array.isArray(tags)) for (const tag of tags) if (labelOf(tag)) add(`tag.${tag}`, 'true');
  for (const [name, value] of Object.entries(optionalFields(node['Meta']) ?? {})) {
    // What Consul notes for itself: `consul-network-segment`, `consul-version`.
    if (!name.startsWith('consul-')) add(`node.${name}`, value);
  }
  for (const [name, value] of Object.entries(optionalFields(service['Meta']) ?? {})) {
    if (name.length > 0 && name.length <= 256 && !labels.has(name)) add(name, value);
  }
  return Object.fromEntries(labels);
}

function fieldsOf(raw: unknown, what: string): Fields {
  const fields = optionalFields(raw);
  if (fields === undefined) throw discoveryError(`${what} is no object`);
  return fields;
}

function optionalFields(raw: unknown): Fields | undefined {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
    ? (raw as Fields)
    : undefined;
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw discoveryError(`${name} is no text`);
  return value;
}

/** A text that says something. */
function labelOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What was made of a whole answer. */
export interface DecodedEntries {
  readonly endpoints: readonly Endpoint[];
  readonly complaint: string | undefined;
}

/**
 * Decodes a list of entries. One that makes no sense is left out, with a complaint; if none makes sense, nobody knows
 * what the answer is, and it is refused. Of instances with the same address the healthiest counts: a node that came
 * back under another name leaves a twin that is critical.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY`
 */
export function decodeEntries(raw: unknown, rules: EntryRules): DecodedEntries {
  if (!Array.isArray(raw)) throw discoveryError('the answer is no list of instances');
  const best = new Map<string, Instance>();
  let wrongCount = 0;
  let firstProblem: string | undefined;
  for (const [index, entry] of raw.entries()) {
    try {
      const instance = decodeEntry(entry, rules);
      if (instance === undefined) continue;
      const known = best.get(instance.endpoint.id);
      if (known === undefined || instance.rank < known.rank) {
        best.set(instance.endpoint.id, instance);
      }
    } catch (error) {
      wrongCount += 1;
      firstProblem ??= `instance ${index}: ${messageOf(error)}`;
    }
  }
  if (wrongCount > 0 && wrongCount === raw.length) throw discoveryError(firstProblem ?? '');
  return {
    endpoints: [...best.values()].map(({ endpoint }) => endpoint),
    complaint:
      wrongCount === 0 ? undefined : `${wrongCount} instances left out, the first: ${firstProblem}`,
  };
}
