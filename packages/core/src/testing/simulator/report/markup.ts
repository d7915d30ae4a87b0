/** Text that may stand in HTML and SVG, attribute values included. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A coordinate: a tenth of a pixel is fine enough, and shorter. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
