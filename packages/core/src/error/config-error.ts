import { EvenkeelError } from './evenkeel-error.ts';
import { redactField, redactText } from './redact.ts';

/** One thing wrong with a configuration. */
export interface ConfigIssue {
  /** Where, as one would type it: `clusters.users.health.http.intervalMs`, `endpoints[3].port`. */
  readonly path: string;
  /** What is allowed there, with unit and range. */
  readonly expected: string;
  /** What was found, shortened; secrets never appear here. */
  readonly actual: string;
}

/** A configuration or an argument is wrong. Carries every issue found, not only the first. */
export class ConfigError extends EvenkeelError {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], cause?: unknown) {
    super('EVENKEEL_CONFIG', describeIssues(issues), { cause });
    this.issues = issues;
  }
}

/** Shorthand for a {@link ConfigError} with a single issue. */
export function configError(path: string, expected: string, actual: unknown): ConfigError {
  return new ConfigError([{ path, expected, actual: describeValue(actual) }]);
}

/** Most issues that a message names; {@link ConfigError.issues} has them all. */
const MAX_ISSUES_TOLD = 20;

function describeIssues(issues: readonly ConfigIssue[]): string {
  const told = issues.slice(0, MAX_ISSUES_TOLD).map(describeIssue).join('; ');
  const rest = issues.length - MAX_ISSUES_TOLD;
  return rest > 0 ? `${told}; and ${rest} more` : told;
}

function describeIssue(issue: ConfigIssue): string {
  return `${issue.path}: expected ${issue.expected}, got ${issue.actual}`;
}

const MAX_VALUE_LENGTH = 80;

/** A short, single-line rendering of any value for use in an error message, without the secrets in it. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' || typeof value === 'symbol') return String(value);
  let text: string;
  try {
    text = redactText(JSON.stringify(value, redactField) ?? typeof value);
  } catch {
    text = typeof value;
  }
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}
