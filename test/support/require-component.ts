/**
 * Real components in tests: present, or skipped with the reason in view.
 *
 *     const dnsmasq = requireComponent('dnsmasq');
 *     describe.skipIf(dnsmasq.path === undefined)('dns discovery against dnsmasq', () => { ... });
 *
 * EVENKEEL_REQUIRE=all, or a list such as EVENKEEL_REQUIRE=dnsmasq,unbound, turns absence into a
 * failure: on a machine that is supposed to have everything, a skip would hide a broken set-up.
 */
import {
  type Component,
  components,
  describeSource,
  findComponent,
} from '../../scripts/components.mjs';

export type ComponentResult =
  | { readonly path: string; readonly reason?: undefined }
  | { readonly path?: undefined; readonly reason: string };

/**
 * The executable of a component of `scripts/components.mjs`.
 *
 * @throws Error when the name is not in the table, or the component is required and absent
 */
export function requireComponent(
  name: string,
  table: readonly Component[] = components,
): ComponentResult {
  const component = table.find((candidate) => candidate.name === name);
  if (component === undefined) {
    const known = table.map((candidate) => candidate.name).join(', ');
    throw new Error(`unknown test component "${name}"; scripts/components.mjs has: ${known}`);
  }
  const path = findComponent(component);
  if (path !== undefined) return { path };

  const source = describeSource(component);
  const reason =
    'machine' in component.source
      ? `${name} is not available here (it takes ${source})`
      : `${name} is not installed (${source}; "npm run setup -- --tests" installs it where it may)`;
  if (isRequired(name)) throw new Error(`${reason}, and EVENKEEL_REQUIRE asks for it`);
  process.stderr.write(`skipping the tests of ${component.usedBy}: ${reason}\n`);
  return { reason };
}

/** Whether EVENKEEL_REQUIRE forbids skipping for lack of `name`. */
export function isRequired(name: string): boolean {
  const required = (process.env['EVENKEEL_REQUIRE'] ?? '').split(',').map((entry) => entry.trim());
  return required.includes('all') || required.includes(name);
}
