import { afterEach, describe, expect, it, vi } from 'vitest';
import { isRequired, requireComponent } from './require-component.ts';

describe('requireComponent', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('refuses a name that is not in the table and lists the known ones', () => {
    expect(() => requireComponent('dnsmask')).toThrow(/unknown test component "dnsmask".*dnsmasq/u);
  });

  it.each([
    { value: '', required: false },
    { value: 'unbound', required: false },
    { value: 'unbound, dnsmasq', required: true },
    { value: 'all', required: true },
  ])('EVENKEEL_REQUIRE="$value" requires dnsmasq: $required', ({ value, required }) => {
    vi.stubEnv('EVENKEEL_REQUIRE', value);
    expect(isRequired('dnsmasq')).toBe(required);
  });

  describe('for a component that this machine lacks', () => {
    const table = [
      { name: 'ghost', file: '/nonexistent/ghost', usedBy: 'nothing', source: { apt: 'ghostd' } },
    ];

    it('gives the reason and the package', () => {
      vi.stubEnv('EVENKEEL_REQUIRE', '');
      expect(requireComponent('ghost', table).reason).toMatch(/ghost is not installed.*ghostd/u);
    });

    it('fails when EVENKEEL_REQUIRE names it', () => {
      vi.stubEnv('EVENKEEL_REQUIRE', 'ghost');
      expect(() => requireComponent('ghost', table)).toThrow(/EVENKEEL_REQUIRE asks for it/u);
    });
  });
});
