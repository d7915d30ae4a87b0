import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireComponent } from '../../../../../test/support/require-component.ts';

/** Undefined where there is no openssl; the tests that need it are skipped. */
export const openssl: string | undefined = requireComponent('openssl').path;

/** Both as options of ours, and the first one as options of Node's. */
export interface IssuedCertificate {
  readonly pem: { readonly cert: string; readonly key: string };
  readonly files: { readonly certFile: string; readonly keyFile: string };
}

export interface IssueOptions {
  readonly names?: readonly string[];
  readonly passphrase?: string;
}

const run = promisify(execFile);

/** Signs certificates for tests: made anew in each run, in a folder that goes away. */
export class TestAuthority {
  readonly folder: string;
  #count = 0;
  #cert = '';

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(name = 'Test Authority'): Promise<TestAuthority> {
    const authority = new TestAuthority(await mkdtemp(join(tmpdir(), 'evenkeel-tls-')));
    const { pem } = await authority.#make(`/CN=${name}`, ['-addext', 'basicConstraints=CA:true']);
    authority.#cert = pem.cert;
    return authority;
  }

  /** Its own certificate, in PEM. */
  get cert(): string {
    return this.#cert;
  }

  get certFile(): string {
    return join(this.folder, '0.cert.pem');
  }

  get keyFile(): string {
    return join(this.folder, '0.key.pem');
  }

  /** A certificate for names and addresses; the first name is the subject, too. */
  issue({ names = [], passphrase }: IssueOptions = {}): Promise<IssuedCertificate> {
    const alternatives = names.map((name) =>
      /^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`,
    );
    return this.#make(
      `/CN=${names[0] ?? 'nobody'}`,
      [
        ...(names.length > 0 ? ['-addext', `subjectAltName=${alternatives.join(',')}`] : []),
        ...['-addext', 'basicConstraints=critical,CA:false'],
        ...['-CA', this.certFile, '-CAkey', this.keyFile],
      ],
      passphrase,
    );
  }

  dispose(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  async #make(
    subject: string,
    args: readonly string[],
    passphrase?: string,
  ): Promise<IssuedCertificate> {
    const at = join(this.folder, String(this.#count++));
    const certFile = `${at}.cert.pem`;
    const keyFile = `${at}.key.pem`;
    const protection = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
    await run(openssl ?? 'openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-subj', subject, '-days', '2', '-keyout', keyFile, '-out', certFile],
      ...protection,
      ...args,
    ]);
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    return { pem: { cert, key }, files: { certFile, keyFile } };
  }
}
