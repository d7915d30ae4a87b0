/** The page in a real browser, in front of a proxy that works. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { ProxyFixture } from '../../engine/test-support/proxy-fixture.ts';
import { answering, OK } from '../../engine/test-support/scripted-origin.ts';
import { type Admin, createAdmin } from '../admin.ts';
import { Browser, type Page } from './test-support/browser.ts';

const chromium = requireComponent('chromium-headless-shell').path;
const TOKEN = 'a-token-of-some-length';

describe.skipIf(chromium === undefined)('the admin page', () => {
  let browser: Browser;
  let fixture: ProxyFixture;
  let admin: Admin;
  let page: Page;

  beforeAll(async () => {
    browser = await Browser.start(chromium ?? '');
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    fixture = await ProxyFixture.start(answering(OK), {
      origins: 2,
      proxy: {
        listeners: [
          {
            listen: '127.0.0.1:0',
            http: {
              routes: [
                { name: 'api', match: { path: { prefix: '/api/' } }, cluster: 'origin' },
                // A name of a route is text, whatever is in it.
                { name: '<img src=x>', match: { path: { exact: '/x' } }, respond: { status: 204 } },
              ],
            },
          },
        ],
      },
    });
  });
  afterEach(async () => {
    await admin.close();
    await fixture.close();
  });

  const open = async (token?: string): Promise<void> => {
    admin = await createAdmin({ proxy: fixture.proxy, listen: '127.0.0.1:0', token });
    page = await browser.open(`http://127.0.0.1:${admin.address.port}/`);
  };
  const visit = async (count: number): Promise<void> => {
    const client = await fixture.connect();
    for (let turn = 1; turn <= count; turn++) {
      client.send('GET /api/x HTTP/1.1\r\nhost: a\r\n\r\n');
      await client.until(({ received }) => received.split('\r\n\r\nok').length > turn);
    }
  };
  const idOf = (origin: number): string => `127.0.0.1:${fixture.origins[origin]!.port}`;
  /** An expression: does an element show a text? */
  const shows = (selector: string, text: string): string =>
    `document.querySelector('${selector}')?.innerText.includes(${JSON.stringify(text)}) === true`;
  const cells = (row: string): Promise<string[]> =>
    page.evaluate(`[...document.querySelectorAll('tr')]
      .filter((row) => row.cells[0]?.innerText === ${JSON.stringify(row)})
      .flatMap((row) => [...row.cells].map((cell) => cell.innerText))`);

  it('shows listeners, routes, clusters and endpoints, and asks nobody else for anything', async () => {
    await visit(6);
    await open();
    await page.until(shows('#state', 'serving'));
    const [address] = fixture.proxy.addresses;
    expect(await page.text('#listeners')).toContain(`127.0.0.1:${address!.port}`);
    expect((await cells('api')).slice(0, 2)).toEqual(['api', 'origin']);
    expect((await cells('api'))[6]).toBe('6');
    expect(await cells('<img src=x>')).toHaveLength(9);
    expect(await page.text('#clusters')).toContain('2 of 2 healthy');
    for (const origin of [0, 1]) {
      const row = await cells(idOf(origin));
      expect([row[1], row[5], row[6]]).toEqual(['healthy', '3', '0']);
    }
    const origin = `http://127.0.0.1:${admin.address.port}/`;
    const foreign = page.requested.filter(
      (url) => !url.startsWith(origin) && !url.startsWith('data:') && url !== 'about:blank',
    );
    expect(foreign).toEqual([]);
    expect(page.errors).toEqual([]);
  });

  it('shows what happens while it is looked at', async () => {
    await open();
    await page.until(shows('#state', 'serving'));
    const tile = "Number(document.querySelector('#tiles b').innerText)";
    expect(await page.evaluate(tile)).toBe(0);
    await visit(20);
    await page.until(`${tile} > 0`);
    expect(await page.evaluate("document.querySelectorAll('#chart-rate path').length")).toBe(2);
    fixture.proxy.drain();
    await page.until(shows('#state', 'draining'));
  });

  it('takes an endpoint out and back, and notes it', async () => {
    await open();
    await page.until(shows('#clusters', idOf(0)));
    const state = `[...document.querySelectorAll('#clusters tr')]
      .find((row) => row.innerText.includes(${JSON.stringify(idOf(0))}))`;
    await page.evaluate(`${state}.querySelector('button').click()`);
    await page.until(`${state}.cells[1].innerText === 'disabled'`);
    const { endpoints } = fixture.cluster.snapshot();
    expect(endpoints.find(({ id }) => id === idOf(0))?.state).toBe('disabled');
    await page.until(shows('#changes', 'disabled by an operator'));
    await page.evaluate(`${state}.querySelector('button').click()`);
    await page.until(`${state}.cells[1].innerText === 'healthy'`);
    expect(page.errors).toEqual([]);
  });

  it('explains where a request would go', async () => {
    await open();
    await page.until(shows('#state', 'serving'));
    await page.fill('#explain-path', '/api/users');
    await page.click('#explain button');
    await page.until(shows('#explanation', 'route    api'));
    expect(await page.text('#explanation')).toContain(idOf(0));
    await page.fill('#explain-path', '/nowhere');
    await page.click('#explain button');
    await page.until(shows('#explanation', 'route    none'));
  });

  it('asks for the token where there is one, and keeps it for this window', async () => {
    await open(TOKEN);
    await page.until("document.querySelector('#login')?.hidden === false");
    expect(await page.text('#clusters')).toBe('');
    await page.fill('#token', TOKEN);
    await page.click('#login button');
    await page.until(shows('#state', 'serving'));
    expect(await page.text('#clusters')).toContain(idOf(0));
    expect(await page.evaluate("document.querySelector('#login').hidden")).toBe(true);
    expect(await page.evaluate("sessionStorage.getItem('token')")).toBe(TOKEN);
  });

  it('says so when nobody answers any more', async () => {
    await open();
    await page.until(shows('#state', 'serving'));
    await admin.close();
    await page.until(shows('#state', 'no answer'));
  });
});
