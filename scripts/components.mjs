/**
 * The real components that tests run against, and where each comes from. Adding one is one line.
 *
 * `scripts/setup.mjs` installs what is missing; `test/support/require-component.ts` hands a test
 * the path, or the reason to skip. Everything here is optional: without it, its tests are skipped
 * (or fail, with EVENKEEL_REQUIRE=all).
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, searchPath } from './lib/paths.mjs';

/**
 * @typedef {object} Component
 * @property {string} name what tests ask for
 * @property {string} file the executable: a command's name, or a path
 * @property {string} usedBy what is tested with it
 * @property {ComponentSource} source where it comes from
 */

/**
 * The Debian package of the system's own release, the exact npm package, or a package of another
 * Debian release, which is unpacked below `.cache` and leaves the system alone. Or the machine itself:
 * nothing installs that.
 *
 * @typedef {{ apt: string } | { npm: string } | { debian: string, suite: string } | { machine: string }} ComponentSource
 */

/** Exact versions: the matrix must not change because a new Node came out. */
const NODE_VERSIONS = { 22: '22.23.3', 24: '24.21.0' };

/** @type {readonly Component[]} */
export const components = [
  apt('dnsmasq', 'dnsmasq-base', 'DNS discovery'),
  apt('unbound', 'unbound', 'DNS discovery with records that change'),
  apt('ip', 'iproute2', 'half-open connections, in a network namespace'),
  apt('unbound-control', 'unbound', 'DNS discovery with records that change'),
  apt('haproxy', 'haproxy', 'the proxy benchmark'),
  apt('nginx', 'nginx-light', 'the proxy benchmark'),
  apt('wrk', 'wrk', 'the proxy benchmark'),
  apt('nghttp', 'nghttp2-client', 'HTTP/2 of the proxy'),
  apt('h2load', 'nghttp2-client', 'HTTP/2 of the proxy under load'),
  apt('openssl', 'openssl', 'TLS of the proxy'),
  apt('curl', 'curl', 'HTTP/2 of the proxy'),
  // Chromium without windows: all that a page needs, and half of the browser's weight.
  apt('chromium-headless-shell', 'chromium-headless-shell', 'the admin page of the proxy'),
  apt('etcd', 'etcd-server', 'etcd discovery and registration'),
  // The last Debian release with Consul; the binary needs nothing but libc.
  unpacked('consul', { suite: 'bullseye', usedBy: 'Consul discovery and registration' }),
  {
    name: 'zookeeper',
    // Not what tests start, but what shows that the package is there; it brings Java along.
    file: '/usr/share/zookeeper/bin/zkServer.sh',
    usedBy: 'ZooKeeper discovery and registration',
    source: { apt: 'zookeeper' },
  },
  apt('clang', 'clang', 'the build of BPF programs'),
  apt('bpftool', 'bpftool', 'the build of BPF programs'),
  {
    name: 'bpf',
    file: '/sys/kernel/btf/vmlinux',
    usedBy: 'BPF programs in the running kernel',
    source: { machine: 'root on Linux with BPF and BTF (CONFIG_DEBUG_INFO_BTF)' },
  },
  node(22, 'fetch and undici on Node 22'),
  node(24, 'fetch and undici on Node 24'),
];

/**
 * @param {string} command
 * @param {string} debianPackage
 * @param {string} usedBy
 * @returns {Component}
 */
function apt(command, debianPackage, usedBy) {
  return { name: command, file: command, usedBy, source: { apt: debianPackage } };
}

/**
 * A command of the package of the same name in another Debian release.
 *
 * @param {string} command
 * @param {{ suite: string, usedBy: string }} options
 * @returns {Component}
 */
function unpacked(command, { suite, usedBy }) {
  const file = join(unpackDirectory(command), 'usr', 'bin', command);
  return { name: command, file, usedBy, source: { debian: command, suite } };
}

/**
 * Another Node: the platform's own package, which is the binary and nothing else.
 *
 * @param {keyof typeof NODE_VERSIONS} major
 * @param {string} usedBy
 * @returns {Component}
 */
function node(major, usedBy) {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${process.platform}-${process.arch}`;
  return {
    name: `node-${major}`,
    file: join(npmDirectory(`node-${major}`), 'node_modules', name, 'bin', 'node'),
    usedBy,
    source: { npm: `${name}@${NODE_VERSIONS[major]}` },
  };
}

/**
 * Where an npm-sourced component is installed: away from node_modules, which belongs to the lockfile.
 *
 * @param {string} name
 */
export function npmDirectory(name) {
  return join(cacheDirectory, name);
}

/**
 * Where a package of another Debian release is unpacked.
 *
 * @param {string} name
 */
export function unpackDirectory(name) {
  return join(cacheDirectory, name);
}

/**
 * The package a component comes from, for humans.
 *
 * @param {Component} component
 */
export function describeSource({ source }) {
  if ('apt' in source) return `Debian package ${source.apt}`;
  if ('npm' in source) return `npm package ${source.npm}`;
  if ('machine' in source) return source.machine;
  return `package ${source.debian} of Debian ${source.suite}`;
}

/** Debian keeps servers in sbin, which an ordinary user's search path lacks. */
const EXTRA_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/**
 * The executable of a component, or undefined when this machine does not have it.
 *
 * @param {Component} component
 * @returns {string | undefined}
 */
export function findComponent(component) {
  if ('machine' in component.source) {
    return process.getuid?.() === 0 && existsSync(component.file) ? component.file : undefined;
  }
  if (component.file.includes('/'))
    return isExecutable(component.file) ? component.file : undefined;
  return [...searchPath(), ...EXTRA_DIRECTORIES]
    .map((directory) => join(directory, component.file))
    .find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
