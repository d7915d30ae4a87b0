/** A moment as logs write it: `2026-01-31T12:00:00.000Z`. @param wallMs milliseconds since 1970 */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
