import { BpfError } from '../error/bpf-error.ts';

/** `flow_key` to `flowKey`; names that are not words of C stay as they are. */
export function camelCase(name: string): string {
  const [first = '', ...rest] = name.replace(/^_+/u, '').split(/_+/u);
  const head = first === first.toUpperCase() ? first.toLowerCase() : first;
  return [head, ...rest.map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))].join('');
}

/** `flow_key` to `FlowKey`. */
export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.slice(0, 1).toUpperCase() + camel.slice(1);
}

/** TypeScript names for C names. Two that become the same are an error: one would hide the other. */
export function uniqueNames(
  what: string,
  names: readonly string[],
): readonly (readonly [c: string, ts: string])[] {
  const taken = new Map<string, string>();
  return names.map((name) => {
    const property = camelCase(name);
    const other = taken.get(property);
    if (other !== undefined || property === '') {
      throw new BpfError(
        'EVENKEEL_BPF_BUILD',
        `${what}: "${name}" and "${other ?? ''}" would both be called "${property}"`,
      );
    }
    taken.set(property, name);
    return [name, property];
  });
}
