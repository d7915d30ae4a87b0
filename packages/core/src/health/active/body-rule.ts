import { compileExpression, type HttpCheckConfig } from './http-config.ts';

/** Looks at a body and says what is wrong with it; undefined: nothing. */
export type BodyRule = (body: string) => string | undefined;

/** Undefined: the body does not matter. Reasons do not repeat what was looked for: it may be a secret. */
export function createBodyRule(
  config: Pick<HttpCheckConfig, 'bodyContains' | 'bodyMatches'>,
): BodyRule | undefined {
  const { bodyContains, bodyMatches } = config;
  const expression = bodyMatches === undefined ? undefined : compileExpression(bodyMatches);
  if (bodyContains === undefined && expression === undefined) return undefined;
  return (body) => {
    if (bodyContains !== undefined && !body.includes(bodyContains)) {
      return 'the body does not contain the expected text';
    }
    if (expression !== undefined && !expression.test(body)) {
      return 'the body does not match the expression';
    }
    return undefined;
  };
}
