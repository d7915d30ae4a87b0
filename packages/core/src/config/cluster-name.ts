import { z } from 'zod';

/** RFC 1123 section 2.1: a label. Lower case only, so that two names never differ in case alone. */
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/**
 * One label or several with dots between, at most 253 characters. Kept out are what URL parsers (WHATWG URL, section
 * 3.5) take for something else: a last label that is a number makes an IPv4 address, a label that begins with `xn--`
 * is Punycode and is checked as such.
 */
const NAME = new RegExp(
  `^(?=.{1,253}$)(?!(?:.*\\.)?xn--)(?!(?:.*\\.)?(?:[0-9]+|0x[0-9a-f]*)$)${LABEL}(?:\\.${LABEL})*$`,
);

/** The name of a cluster. It is the host in `http://users/`, so it has to be one. */
export const clusterNameSchema: z.ZodString = z
  .string({ error: 'a host name in lower case, such as users or users.prod' })
  .regex(NAME, {
    error:
      'a host name in lower case, such as users or users.prod: letters, digits and - (not at the ends), ' +
      'at most 63 between dots, the last part not a number',
  });
