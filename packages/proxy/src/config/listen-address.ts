/** Where a listener listens, as options write it. */

/** `127.0.0.1:80`, `[::1]:80`, `localhost:80`; its parts are host, brackets included, and port. */
export const LISTEN: RegExp = /^(\[[0-9a-f:.]+\]|[^:\s]+):(\d{1,5})$/i;
