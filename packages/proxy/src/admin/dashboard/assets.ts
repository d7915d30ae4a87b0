/** The files of the page, by their path. */
import { PAGE } from './page.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

export interface Asset {
  readonly contentType: string;
  readonly text: string;
}

export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ['/', { contentType: 'text/html; charset=utf-8', text: PAGE }],
  ['/style.css', { contentType: 'text/css; charset=utf-8', text: STYLE }],
  ['/script.js', { contentType: 'text/javascript; charset=utf-8', text: SCRIPT }],
]);
