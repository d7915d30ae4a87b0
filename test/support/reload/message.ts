/** What is asked and answered under load: every answer can be told from all others, and from a part of itself. */

/** One request. Its number decides about everything. */
export interface Question {
  readonly id: number;
  /** Decides, by the routes of the moment, who answers. */
  readonly prefix: string;
  readonly isPost: boolean;
}

/** Requests go to as many parts of the paths. */
export const PREFIXES: readonly string[] = ['/red', '/green', '/blue', '/grey'];

export function questionOf(id: number): Question {
  return { id, prefix: PREFIXES[id % PREFIXES.length] as string, isPost: id % 5 === 0 };
}

export function requestText({ id, prefix, isPost }: Question): string {
  const head = `${isPost ? 'POST' : 'GET'} ${prefix}/${id} HTTP/1.1\r\nhost: load\r\n`;
  if (!isPost) return `${head}\r\n`;
  const body = `${id};`.repeat(1 + (id % 40));
  return `${head}content-length: ${body.length}\r\n\r\n${body}`;
}

/** @param length of the request's body, as it came to the origin */
export function answerBody(
  cluster: string,
  { id, length }: { id: number; length: number },
): string {
  // Most answers are small; some take several reads.
  const count = id % 499 === 0 ? 8_000 : 1 + (id % 30);
  return `${cluster} ${id} ${length} ${`${id};`.repeat(count)}`;
}

/** @returns the cluster that answered, or undefined for an answer to another question, or a damaged one */
export function clusterOf(question: Question, body: string): string | undefined {
  const { id, isPost } = question;
  const cluster = body.slice(0, body.indexOf(' '));
  const length = isPost ? `${id};`.length * (1 + (id % 40)) : 0;
  return body === answerBody(cluster, { id, length }) ? cluster : undefined;
}
