/**
 * A fresh self-signed certificate, built byte by byte (X.509 in DER, RFC 5280 section 4.1), because node:crypto can read
 * certificates but not make them, and tests should need no openssl command and no key in the repository.
 */
import { generateKeyPairSync, sign } from 'node:crypto';

export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

export interface SelfSignedOptions {
  readonly names: readonly string[];
  readonly ipv4?: readonly string[];
  /** Days from now, may be negative. Default -1. */
  readonly fromDays?: number;
  /** Days from now, may be negative. Default 1. */
  readonly toDays?: number;
}

const ECDSA_WITH_SHA256 = tlv(0x30, Buffer.from('06082a8648ce3d040302', 'hex'));
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');

export function createSelfSigned(options: SelfSignedOptions): SelfSigned {
  const { names, ipv4 = [], fromDays = -1, toDays = 1 } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = tlv(
    0x30,
    tlv(0x31, tlv(0x30, COMMON_NAME, tlv(0x0c, Buffer.from(names[0] ?? 'test')))),
  );
  const altNames = [
    ...names.map((dns) => tlv(0x82, Buffer.from(dns))),
    ...ipv4.map((ip) => tlv(0x87, Buffer.from(ip.split('.').map(Number)))),
  ];
  const extensions = tlv(
    0x30,
    tlv(0x30, SUBJECT_ALT_NAME, tlv(0x04, tlv(0x30, ...altNames))),
    tlv(
      0x30,
      BASIC_CONSTRAINTS,
      tlv(0x01, Buffer.of(0xff)),
      tlv(0x04, tlv(0x30, tlv(0x01, Buffer.of(0xff)))),
    ),
  );
  const body = tlv(
    0x30,
    tlv(0xa0, tlv(0x02, Buffer.of(2))), // version 3
    tlv(0x02, Buffer.of(1)), // serial number
    ECDSA_WITH_SHA256,
    name,
    tlv(0x30, utcTime(fromDays), utcTime(toDays)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  );
  const signature = tlv(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)]));
  const der = tlv(0x30, body, ECDSA_WITH_SHA256, signature);
  const base64 = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Tag, length, value. */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), value]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), value]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), value]);
}

function utcTime(daysFromNow: number): Buffer {
  const iso = new Date(Date.now() + daysFromNow * 86_400_000).toISOString();
  return tlv(0x17, Buffer.from(`${iso.slice(2, 19).replace(/[-:T]/g, '')}Z`));
}
