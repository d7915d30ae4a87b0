/**
 * What a report may cost its reader. The endpoint chooses the text, and every answer may carry one: the work for it must
 * be bounded, and no number in it may be one that poisons an average.
 */

/** Longest header value that is looked at. Node takes 16 KiB for all headers of an answer. */
export const MAX_REPORT_CHARACTERS = 8_192;
/** The same in the binary form: base64 makes 4 characters of 3 bytes. */
export const MAX_REPORT_BYTES = 6_144;
/** Most values in one report, those of the maps included. */
export const MAX_VALUES = 128;
/** Longest name of a value. */
export const MAX_NAME_CHARACTERS = 128;
/** Largest share or rate that is believed: no server has a million million requests per second. */
export const MAX_FIELD = 1e12;
/** Longest number as text; the longest that a double needs has 24 characters. */
const MAX_NUMBER_CHARACTERS = 32;

/** Decimal, as JSON and C write it. No hexadecimal, no words: `Number` alone would take both, and blanks for 0. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text stands for; NaN when it stands for none that is finite. */
export function parseDecimal(text: string): number {
  if (text.length > MAX_NUMBER_CHARACTERS || !DECIMAL.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** Can every form of a report carry this name? Visible ASCII without what separates names and values. */
export function isMetricName(name: string): boolean {
  return name.length <= MAX_NAME_CHARACTERS && /^[!-~]+$/.test(name) && !/[,=:"\\]/.test(name);
}
