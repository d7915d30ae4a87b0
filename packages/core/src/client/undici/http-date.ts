/**
 * HTTP dates (RFC 9110 section 5.6.7) without the clock: pure arithmetic, so that a virtual time stays in charge.
 *
 * ```text
 * Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, the one to send
 * Sunday, 06-Nov-94 08:49:37 GMT    obsolete, RFC 850; two-digit year
 * Sun Nov  6 08:49:37 1994          obsolete, asctime()
 * ```
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';
const FORMS = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(
    `^[A-Z][a-z]+day, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** @returns milliseconds since 1970, or undefined when the text is none of the three forms */
export function parseHttpDate(text: string): number | undefined {
  for (const form of FORMS) {
    const fields = form.exec(text)?.groups;
    if (fields === undefined) continue;
    const read = (name: string): number => Number(fields[name]);
    const month = MONTHS.indexOf(fields['month'] ?? '') + 1;
    const [day, hour, minute, second] = [read('day'), read('hour'), read('minute'), read('second')];
    // 60 is a leap second, which a Unix time cannot tell from the next one.
    if (month === 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
      return undefined;
    const days = daysSince1970({ year: fullYear(fields['year'] ?? ''), month, day });
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000;
  }
  return undefined;
}

/** Two digits stand for 1970 to 2069: this code will not meet the other readings. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length > 2) return year;
  return year >= 70 ? 1_900 + year : 2_000 + year;
}

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/**
 * Days from 1970-01-01 in the proleptic Gregorian calendar. The year is taken to begin in March, so that the leap day
 * is its last day: month lengths then follow (153 m + 2) / 5, and 400 years always have 146,097 days.
 */
function daysSince1970({ year, month, day }: CivilDate): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const marchMonth = (month + 9) % 12;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  // 719,468 days lie between 0000-03-01 and 1970-01-01.
  return era * 146_097 + dayOfEra - 719_468;
}
