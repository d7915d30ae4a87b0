const UNFIT = /[^\t\x20-\x7e\x80-\xff]/gu;

/** A text as the value of a field: what cannot stand there, line ends above all, is percent-encoded. */
export function fieldText(text: string): string {
  // A lone half of a surrogate pair has no encoding of its own.
  return text.replace(UNFIT, (character) => encodeURIComponent(character.toWellFormed()));
}

/**
 * The name of somebody as the value of a field: everything but visible ASCII is percent-encoded, and `%` itself, so that
 * no two names look alike to the endpoint. Spaces at the ends would be cut off on the way.
 */
export function nameText(name: string): string {
  return name
    .replace(/[^\x20-\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character.toWellFormed()))
    .replace(/^ | $/g, '%20');
}
