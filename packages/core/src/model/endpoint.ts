import { configError } from '../error/config-error.ts';
import {
  type Address,
  createAddress,
  createUnixAddress,
  formatAddress,
  parseAddress,
} from './address.ts';
import { createLocality, type Locality } from './locality.ts';

/**
 * One address that can serve. Immutable. Identity is {@link Endpoint.id} alone: weight, priority, locality, metadata
 * and health may change while the endpoint, its slot and its statistics stay.
 */
export interface Endpoint {
  /** Stable identity: the canonical address unless given. */
  readonly id: string;
  readonly address: Address;
  /** Relative integer share, 0..1,000,000; 0 takes no traffic. Default 1. */
  readonly weight: number;
  /** 0 is preferred; 0..127. Default 0. */
  readonly priority: number;
  readonly locality: Locality;
  /** Free labels, matched by subsets. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What hash policies place on their tables: `host:port` unless given. Equal keys collide, so keep it unique. */
  readonly hashKey: string;
  /** Server name for TLS and checks when the address is an IP; undefined: the client decides. */
  readonly hostname: string | undefined;
  /** To be spared, says discovery: it gets traffic only when the healthy ones cannot take all. Default false. */
  readonly degraded: boolean;
}

/** What a user writes. A string is an address: `10.0.0.1:80`, `[::1]:80`, `name:80`, `unix:/run/app.sock`. */
export type EndpointInput = string | EndpointFields;

/** The long form of an endpoint. Give one of `address`, `host` + `port`, or `unix`. */
export interface EndpointFields {
  readonly address?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly unix?: string | undefined;
  readonly id?: string | undefined;
  readonly weight?: number | undefined;
  readonly priority?: number | undefined;
  readonly locality?: Partial<Locality> | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly hashKey?: string | undefined;
  readonly hostname?: string | undefined;
  readonly degraded?: boolean | undefined;
}

/** Largest weight; keeps sums of 10,000 endpoints far inside the exact integers. */
export const MAX_WEIGHT = 1_000_000;

export function isWeight(weight: number): boolean {
  return Number.isInteger(weight) && weight >= 0 && weight <= MAX_WEIGHT;
}
/** Largest priority, as in xDS `LocalityLbEndpoints.priority`. */
export const MAX_PRIORITY = 127;

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Validates and completes an endpoint.
 *
 * @param path where it stands in the configuration, for the error
 * @throws ConfigError naming the field, the range and the value found
 */
export function createEndpoint(input: EndpointInput, path = 'endpoint'): Endpoint {
  const fields: EndpointFields = typeof input === 'string' ? { address: input } : input;
  const address = addressOf(fields, path);
  const text = formatAddress(address);
  const { id = text, weight = 1, priority = 0, metadata, hashKey = text, hostname } = fields;
  assertInteger(weight, MAX_WEIGHT, `${path}.weight`);
  assertInteger(priority, MAX_PRIORITY, `${path}.priority`);
  if (id === '') throw configError(`${path}.id`, 'a text that is not empty', id);
  return Object.freeze({
    id,
    address,
    weight,
    priority,
    locality: createLocality(fields.locality),
    metadata: metadata === undefined ? NO_METADATA : Object.freeze({ ...metadata }),
    hashKey,
    hostname,
    degraded: fields.degraded ?? false,
  });
}

/** Are two endpoints the same in everything that traffic, health or topology can see? */
export function endpointsEqual(a: Endpoint, b: Endpoint): boolean {
  if (a === b) return true;
  return (
    a.id === b.id &&
    formatAddress(a.address) === formatAddress(b.address) &&
    a.weight === b.weight &&
    a.priority === b.priority &&
    a.hashKey === b.hashKey &&
    a.hostname === b.hostname &&
    a.degraded === b.degraded &&
    a.locality.region === b.locality.region &&
    a.locality.zone === b.locality.zone &&
    a.locality.subzone === b.locality.subzone &&
    recordsEqual(a.metadata, b.metadata)
  );
}

function addressOf(fields: EndpointFields, path: string): Address {
  const { address, host, port, unix } = fields;
  const given = [address, host, unix].filter((value) => value !== undefined).length;
  if (given !== 1) {
    throw configError(path, "exactly one of 'address', 'host' with 'port', or 'unix'", fields);
  }
  if (address !== undefined) return parseAddress(address, path);
  if (unix !== undefined) return createUnixAddress(unix, path);
  return createAddress(host ?? '', port ?? Number.NaN, path);
}

function assertInteger(value: number, max: number, path: string): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw configError(path, `an integer from 0 to ${max}`, value);
  }
}

function recordsEqual(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
