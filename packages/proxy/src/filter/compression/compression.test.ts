import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../test-support/fake-request.ts';
import { fakeResponse, type FakeResponse } from '../test-support/fake-response.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { Coding } from './negotiate.ts';
import type { CompressionOptions } from './schema.ts';

const TEXT = Buffer.from('what is said three times is true. '.repeat(3_000));
const HTML = { 'content-type': 'text/html; charset=utf-8' };

async function respond(response: FakeResponse, head: string, options: CompressionOptions = {}) {
  const filter = await makeFilter({ compression: options });
  const request = fakeRequest(head);
  filter.onResponse?.(response, request);
  const body = filter.responseBody?.(response, request);
  return { filter, body, fields: Object.fromEntries(response.headers.lines) };
}

const accepting = (codings: string): string => `GET / HTTP/1.1\naccept-encoding: ${codings}`;

const DECODERS: Readonly<Record<Coding, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  zstd: (bytes) => zlib.zstdDecompressSync(bytes),
};

describe('compression', () => {
  it.each<Coding>(['gzip', 'br', 'zstd'])('gives back what %s makes of it', async (coding) => {
    const { body, fields } = await respond(fakeResponse(200, HTML), accepting(coding), {
      codings: [coding],
    });
    expect(fields).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding' });
    const out: Buffer[] = [];
    for (let at = 0; at < TEXT.length; at += 7_000) {
      out.push(Buffer.from(await body!.transform(TEXT.subarray(at, at + 7_000))));
    }
    out.push(Buffer.from(await body!.flush!()));
    body!.close?.();
    const bytes = Buffer.concat(out);
    expect(bytes.length).toBeLessThan(TEXT.length / 10);
    expect(DECODERS[coding](bytes)).toEqual(TEXT);
  });

  it.each<Coding>(['gzip', 'br', 'zstd'])(
    'lets each event of a stream out at once with %s',
    async (coding) => {
      const response = fakeResponse(
        200,
        { 'content-type': 'text/event-stream' },
        { bodyBytes: undefined },
      );
      const { body } = await respond(response, accepting(coding), { codings: [coding] });
      const decoder = {
        gzip: zlib.createGunzip,
        br: zlib.createBrotliDecompress,
        zstd: zlib.createZstdDecompress,
      }[coding]();
      let seen = '';
      decoder.on('data', (bytes: Buffer) => (seen += bytes.toString()));
      for (let event = 0; event < 3; event++) {
        const bytes = await body!.transform(Buffer.from(`data: ${event}\n\n`));
        await new Promise<void>((resolve) => decoder.write(bytes, () => resolve()));
        await new Promise((resolve) => setImmediate(resolve));
        expect(seen.endsWith(`data: ${event}\n\n`)).toBe(true);
      }
      body!.close?.();
      decoder.destroy();
    },
  );

  it('makes strong tags weak, and says nothing of ranges', async () => {
    const { fields } = await respond(
      fakeResponse(200, { ...HTML, etag: '"abc"', 'accept-ranges': 'bytes' }),
      accepting('gzip'),
    );
    expect(fields['etag']).toBe('W/"abc"');
    expect(fields).not.toHaveProperty('accept-ranges');
    const plain = await respond(fakeResponse(200, { ...HTML, etag: '"abc"' }), 'GET / HTTP/1.1');
    expect(plain.fields['etag']).toBe('"abc"');
    expect(plain.fields['vary']).toBe('Accept-Encoding');
  });

  it('gives a client its weak tag back with 304', async () => {
    const weak = await respond(
      fakeResponse(304, { etag: '"abc"' }),
      'GET / HTTP/1.1\nif-none-match: W/"abc"',
    );
    expect(weak.fields['etag']).toBe('W/"abc"');
    const strong = await respond(
      fakeResponse(304, { etag: '"abc"' }),
      'GET / HTTP/1.1\nif-none-match: "abc"',
    );
    expect(strong.fields['etag']).toBe('"abc"');
  });

  it.each<[string, FakeResponse]>([
    ['a short body', fakeResponse(200, HTML, { bodyBytes: 1_023 })],
    ['no body', fakeResponse(200, HTML, { bodyBytes: 0 })],
    ['a picture', fakeResponse(200, { 'content-type': 'image/png' })],
    ['no type', fakeResponse(200)],
    ['another coding', fakeResponse(200, { ...HTML, 'content-encoding': 'br' })],
    ['no-transform', fakeResponse(200, { ...HTML, 'cache-control': 'public, No-Transform' })],
    ['a part', fakeResponse(206, { ...HTML, 'content-range': 'bytes 0-1/9' })],
    ['a digest', fakeResponse(200, { ...HTML, 'repr-digest': 'sha-256=:x:' })],
  ])('leaves %s as it is', async (_, response) => {
    const before = response.headers.lines.map((line) => [...line]);
    const { body } = await respond(response, accepting('gzip'));
    expect(body).toBeUndefined();
    expect(response.headers.lines).toEqual(before);
  });

  it('says of HEAD only that the answer depends on what is accepted', async () => {
    const head = 'HEAD / HTTP/1.1\naccept-encoding: gzip';
    const { fields } = await respond(fakeResponse(200, HTML, { bodyBytes: 0 }), head);
    expect(fields).toEqual({ ...HTML, vary: 'Accept-Encoding' });
  });

  it('knows media types by patterns', async () => {
    for (const type of ['application/vnd.api+json', 'TEXT/PLAIN', 'image/svg+xml; a=b']) {
      const { body } = await respond(
        fakeResponse(200, { 'content-type': type }),
        accepting('gzip'),
      );
      expect(body).toBeDefined();
      body?.close?.();
    }
    const only = { types: ['text/html'] };
    const css = fakeResponse(200, { 'content-type': 'text/css' });
    expect((await respond(css, accepting('gzip'), only)).body).toBeUndefined();
  });

  it('compresses a bounded number at a time', async () => {
    const filter = await makeFilter({ compression: { maxConcurrent: 1 } });
    const bodies = [1, 2].map(() => {
      const request = fakeRequest(accepting('gzip'));
      const response = fakeResponse(200, HTML);
      filter.onResponse?.(response, request);
      return filter.responseBody?.(response, request);
    });
    expect(bodies[0]).toBeDefined();
    expect(bodies[1]).toBeUndefined();
    expect(filter.status?.()).toEqual({ runningCount: 1, skippedCount: 1 });
    bodies[0]?.close?.();
    bodies[0]?.close?.();
    expect(filter.status?.()).toEqual({ runningCount: 0, skippedCount: 1 });
  });

  it('ends the wait of a body that breaks off', async () => {
    const { body } = await respond(fakeResponse(200, HTML), accepting('br'));
    const waiting = Promise.resolve(body!.transform(TEXT));
    body!.close?.();
    await expect(waiting).rejects.toThrow('broke off');
  });

  it.each([
    [{ codings: ['lzma'] }, 'compression.codings[0]'],
    [{ levels: { gzip: 10 } }, 'compression.levels.gzip'],
    [{ types: ['html'] }, 'compression.types[0]'],
  ])('refuses %j', async (options, message) => {
    expect(await faultOf({ compression: options })).toContain(message);
  });
});
