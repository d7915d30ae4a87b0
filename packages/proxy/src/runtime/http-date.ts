/** `IMF-fixdate`, RFC 9110 section 5.6.7, of a moment in milliseconds since 1970. */
export function formatHttpDate(wallMs: number): string {
  return new Date(wallMs).toUTCString();
}
