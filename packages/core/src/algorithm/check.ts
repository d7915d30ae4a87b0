/** Argument checks of the algorithms: one wording for all, with the field, the allowed range and the actual value. */

/** @throws TypeError for anything but a finite number, RangeError outside `min`..`max` */
export function checkNumber(field: string, value: number, range: NumberRange): number {
  const { min = -Infinity, max = Infinity, above = -Infinity } = range;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new TypeError(`${field} must be a finite number, got ${String(value)}`);
  }
  if (value < min || value > max || value <= above) {
    throw new RangeError(`${field} must be ${describe(range)}, got ${value}`);
  }
  return value;
}

/** @throws TypeError for anything but a finite number, RangeError for a fraction or outside `min`..`max` */
export function checkInteger(field: string, value: number, range: NumberRange): number {
  checkNumber(field, value, range);
  if (!Number.isInteger(value)) {
    throw new RangeError(`${field} must be an integer ${describe(range)}, got ${value}`);
  }
  return value;
}

/**
 * Checks one weight per key, each above 0 and finite; without weights every key weighs 1.
 *
 * @throws RangeError when the lengths differ or a weight is out of range
 */
export function checkWeights(count: number, weights?: ArrayLike<number>): Float64Array {
  if (weights === undefined) return new Float64Array(count).fill(1);
  if (weights.length !== count) {
    throw new RangeError(`weights must have ${count} entries, got ${weights.length}`);
  }
  const checked = Float64Array.from(weights);
  for (let index = 0; index < count; index++) {
    checkNumber(`weights[${index}]`, checked[index] as number, { above: 0 });
  }
  return checked;
}

/** @throws RangeError for an empty or repeated key: two endpoints with one key would share one place on every ring */
export function checkKeys(keys: readonly string[]): void {
  const seen = new Set<string>();
  for (const [index, key] of keys.entries()) {
    if (typeof key !== 'string' || key === '') {
      throw new RangeError(`keys[${index}] must be a non-empty string, got ${JSON.stringify(key)}`);
    }
    if (seen.has(key)) throw new RangeError(`keys must differ, got ${JSON.stringify(key)} twice`);
    seen.add(key);
  }
}

interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower end, instead of `min`. */
  readonly above?: number;
}

function describe({ min, max, above }: NumberRange): string {
  if (above !== undefined)
    return max === undefined ? `above ${above}` : `above ${above} and at most ${max}`;
  if (min === undefined) return max === undefined ? 'finite' : `at most ${max}`;
  return max === undefined ? `at least ${min}` : `between ${min} and ${max}`;
}
