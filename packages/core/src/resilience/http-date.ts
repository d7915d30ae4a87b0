/**
 * HTTP dates (RFC 9110 section 5.6.7) by arithmetic alone, so that no clock but the port is asked.
 *
 * ```text
 * Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, the form to send
 * Sunday, 06-Nov-94 08:49:37 GMT    RFC 850, obsolete, two digits of the year
 * Sun Nov  6 08:49:37 1994          asctime(), obsolete
 * ```
 *
 * The name of the weekday is not compared with the date: a sender that gets it wrong still means the date.
 */

const MONTHS: readonly string[] = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const DAYS_IN_MONTH: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';
const FORMS: readonly RegExp[] = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(
    `^[A-Z][a-z]{5,8}, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** @returns milliseconds since 1970, or undefined when the text is none of the three forms or no date */
export function parseHttpDate(text: string): number | undefined {
  for (const form of FORMS) {
    const fields = form.exec(text)?.groups;
    if (fields !== undefined) return momentOf(fields);
  }
  return undefined;
}

function momentOf(fields: Readonly<Record<string, string>>): number | undefined {
  const read = (name: string): number => Number(fields[name]);
  const month = MONTHS.indexOf(fields['month'] ?? '');
  const [day, hour, minute, second] = [read('day'), read('hour'), read('minute'), read('second')];
  if (month < 0 || day < 1 || day > (DAYS_IN_MONTH[month] as number)) return undefined;
  // 60 is a leap second, which Unix time cannot tell from the second after it.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const days = daysSince1970({ year: fullYear(fields['year'] ?? ''), month: month + 1, day });
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000;
}

/** Two digits stand for 1970 to 2069. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length > 2) return year;
  return year < 70 ? 2_000 + year : 1_900 + year;
}

interface CivilDate {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  readonly day: number;
}

/**
 * Days from 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day comes last: the
 * days before month m (0 = March) are then (153 m + 2) / 5, rounded down, and 400 years have 146,097 days.
 */
function daysSince1970({ year, month, day }: CivilDate): number {
  const fromMarch = (month + 9) % 12;
  const marchYear = month <= 2 ? year - 1 : year;
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  const daysBefore = marchYear * 365 + leapDays + Math.floor((153 * fromMarch + 2) / 5);
  // 719,469 days lie between 0000-03-00 and 1970-01-01.
  return daysBefore + day - 719_469;
}
