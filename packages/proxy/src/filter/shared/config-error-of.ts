import { ConfigError } from '@evenkeel/core';

/** An error of one option; the path of its filter is put in front by who builds the filter. */
export function configErrorOf(path: string, expected: string, actual: string): ConfigError {
  return new ConfigError([{ path, expected, actual }]);
}
