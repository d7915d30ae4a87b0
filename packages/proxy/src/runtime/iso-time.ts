/** `2026-11-21T06:00:00.000Z`, RFC 3339, of a moment in milliseconds since 1970. */
export function formatIsoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
