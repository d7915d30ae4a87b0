/** The host of requests that come by HTTP/2: that of the listener, but for what it says about their version. */
import type { EngineHost } from '../../engine/host.ts';

const RECEIVED_BY_1 = 'via: 1.1 ';
const RECEIVED_BY_2 = 'via: 2.0 ';

const hosts = new WeakMap<EngineHost, EngineHost>();

/** Follows the listener's host when another configuration is given to that. */
export function http2HostOf(host: EngineHost): EngineHost {
  const known = hosts.get(host);
  if (known !== undefined) return known;
  const made = derive(host);
  hosts.set(host, made);
  return made;
}

function derive(host: EngineHost): EngineHost {
  let from: Uint8Array | undefined = undefined;
  let viaLine: Uint8Array = host.viaLine;
  return Object.create(host, {
    // RFC 9110 section 7.6.3: the version in which a message was received.
    viaLine: {
      get() {
        if (from !== host.viaLine) {
          from = host.viaLine;
          const text = Buffer.from(from).toString('latin1').replace(RECEIVED_BY_1, RECEIVED_BY_2);
          viaLine = Buffer.from(text, 'latin1');
        }
        return viaLine;
      },
    },
  }) as EngineHost;
}
