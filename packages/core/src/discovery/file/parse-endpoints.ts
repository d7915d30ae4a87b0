import { ConfigError, type ConfigIssue } from '../../error/config-error.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import { z } from 'zod';
import { decode } from '../../schema/decode.ts';
import { object } from '../../schema/fields.ts';
import { discoveryError } from '../discovery-error.ts';
import { decodeEndpointList } from '../endpoint-list.ts';
import { assertBounded } from './bounds.ts';
import type { FileConfig } from './config.ts';
import { type DocumentPath, type EndpointDocument, shorten } from './document.ts';
import { parseJson } from './parse-json.ts';
import { parseYaml } from './parse-yaml.ts';

const LIST_PATH = 'endpoints';

/** `{ endpoints: [...] }`; the items are checked one by one afterwards. */
const wrapper = object({
  endpoints: z.array(z.unknown(), { error: 'a list of endpoints' }),
});

/**
 * What the text of an endpoint file says: a list of endpoints, or an object with such a list under `endpoints`.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` whose message has line, column and reason
 */
export async function parseEndpoints(
  text: string,
  { format, allowEmpty, maxBytes }: Pick<FileConfig, 'format' | 'allowEmpty' | 'maxBytes'>,
): Promise<EndpointSet> {
  const document = format === 'json' ? parseJson(text) : await parseYaml(text);
  // Eight per value for scalars that take one byte, hence the factor.
  assertBounded(document.value, 8 * maxBytes);
  const wrapped = !Array.isArray(document.value);
  try {
    const list = wrapped
      ? decode(wrapper, document.value, '').endpoints
      : (document.value as unknown[]);
    if (list.length === 0 && !allowEmpty) {
      throw discoveryError('the list of endpoints is empty, which only allowEmpty: true permits');
    }
    return decodeEndpointList(list, LIST_PATH);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.issues.map((issue) => describeIssue(issue, document, wrapped));
    throw discoveryError(problems.join('; '), error);
  }
}

function describeIssue(issue: ConfigIssue, document: EndpointDocument, wrapped: boolean): string {
  const path = pathKeys(issue.path);
  const { line, column } = document.locate(wrapped || path[0] !== LIST_PATH ? path : path.slice(1));
  const text = `${issue.path}: expected ${issue.expected}, got ${issue.actual}`;
  return `line ${line}, column ${column}: ${shorten(text)}`;
}

/** `endpoints[3].metadata.zone` as keys. A key with a dot in it splits; the nearest part around it is found then. */
function pathKeys(path: string): DocumentPath {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  );
}
