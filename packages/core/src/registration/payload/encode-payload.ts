import type { PayloadFormat } from '../../discovery/payload/instance.ts';
import { formatAddress, createAddress } from '../../model/address.ts';
import type { Announcement, HealthReport, InstanceHealth } from '../registration.ts';

export interface Payload {
  readonly announcement: Announcement;
  /** Where clients reach us. */
  readonly host: string;
  readonly report: HealthReport;
  /** Weight while degraded. */
  readonly degradedWeight: number;
  /** Wall-clock time of the registration. */
  readonly sinceMs: number;
}

/** Only `ALIVE` is used by Finagle; of its words for the rest, the one for an instance that takes no work. */
const SERVERSET_STATUS: Readonly<Record<InstanceHealth, string>> = {
  healthy: 'ALIVE',
  degraded: 'ALIVE',
  unhealthy: 'STOPPED',
};

/**
 * The data of our node.
 *
 * | format      | weight, labels, place                   | unhealthy                                             |
 * |-------------|-----------------------------------------|-------------------------------------------------------|
 * | `json`      | fields of their own                     | `health`                                              |
 * | `serverset` | `metadata`                              | `status` other than `ALIVE`                           |
 * | `curator`   | `payload.metadata`, as of Spring Cloud  | `enabled: false`, and `instance_status` for the latter|
 * | `host-port` | cannot be told                          | cannot be told: there is no node                      |
 *
 * @returns undefined when the format can say it only by a node that is not there
 */
export function encodePayload(format: PayloadFormat, payload: Payload): Buffer | undefined {
  const { announcement, host, report } = payload;
  const { port } = announcement;
  const isUsable = report.health !== 'unhealthy';
  switch (format) {
    case 'host-port':
      return isUsable ? Buffer.from(formatAddress(createAddress(host, port))) : undefined;
    case 'json':
      return encode({
        id: announcement.id,
        service: announcement.service,
        host,
        port,
        weight: weightOf(payload),
        health: report.health,
        ...(report.note === '' ? {} : { note: report.note }),
        tags: announcement.tags,
        metadata: announcement.metadata,
        locality: announcement.locality,
      });
    case 'serverset':
      return encode({
        serviceEndpoint: { host, port },
        additionalEndpoints: {},
        status: SERVERSET_STATUS[report.health],
        metadata: flatLabels(payload),
      });
    case 'curator':
      return encode({
        name: announcement.service,
        id: announcement.id,
        address: host,
        port,
        sslPort: null,
        payload: {
          '@class': 'org.springframework.cloud.zookeeper.discovery.ZookeeperInstance',
          id: announcement.id,
          name: announcement.service,
          metadata: {
            ...flatLabels(payload),
            instance_status: isUsable ? 'UP' : 'OUT_OF_SERVICE',
          },
        },
        registrationTimeUTC: payload.sinceMs,
        serviceType: 'DYNAMIC',
        uriSpec: null,
        enabled: isUsable,
      });
  }
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function weightOf({ announcement, report, degradedWeight }: Payload): number {
  return report.health === 'degraded' ? degradedWeight : announcement.weight;
}

/** Everything as texts by name: weight, place and tags beside the labels. */
function flatLabels(payload: Payload): Record<string, string> {
  const { metadata, locality, tags } = payload.announcement;
  return {
    ...metadata,
    ...Object.fromEntries(tags.map((tag) => [`tag.${tag}`, 'true'])),
    ...Object.fromEntries(Object.entries(locality).filter(([, part]) => part !== '')),
    weight: String(weightOf(payload)),
  };
}
