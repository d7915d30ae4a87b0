/** Attaching in the real kernel, in namespaces and a cgroup of the test's own; each attachment is proven by traffic. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import {
  adoptLink,
  adoptMap,
  adoptProgram,
  attachCgroup,
  attachSkLookup,
  attachTcx,
  attachXdp,
  ensureBpffs,
  isBpfError,
  isBpffs,
  loadObject,
  pin,
  sumOf,
  unpin,
} from '../index.ts';
import {
  addVeth,
  enterLab,
  type Lab,
  run,
  runInCgroup,
  runNode,
} from '../object/test-support/lab.ts';
import { basic, eventCodec } from '../object/test-support/generated/basic.ts';

const required = [requireComponent('bpf'), requireComponent('ip')];
const isMissing = required.some(({ path }) => path === undefined);
const support = join(import.meta.dirname, '../object/test-support');

/** Sends one datagram to an address that leaves through `outer`, so `inner` receives a frame. */
async function sendFrame(): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send('x', 9, '198.18.0.2', (error) => (error === null ? resolve() : reject(error)));
  });
  socket.close();
}

const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (isBpfError(error)) return error.code;
    throw error;
  }
  return 'nothing was thrown';
};

describe.skipIf(isMissing)('links', () => {
  let lab: Lab;
  let object: ReturnType<typeof load>;
  const load = () => loadObject(basic);

  beforeAll(() => {
    lab = enterLab();
    addVeth('outer', 'inner');
    run('ip', 'addr', 'add', '198.18.0.1/24', 'dev', 'outer');
    // No ARP: the frame goes to a neighbour that is written down.
    run(
      'ip',
      'neigh',
      'add',
      '198.18.0.2',
      'lladdr',
      '02:00:00:00:00:02',
      'dev',
      'outer',
      'nud',
      'permanent',
    );
  });
  afterAll(() => lab.close());
  beforeEach(() => {
    object = load();
  });
  afterEach(() => object.close());

  const attachedXdp = (): string => run('ip', '-d', 'link', 'show', 'inner');
  const counted = (index: number): bigint => sumOf(object.maps.stats, index);

  it.each(['generic', 'native', 'auto'] as const)(
    'XDP (%s) sees packets until it is closed',
    async (mode) => {
      const link = attachXdp(object.programs.countPackets, { interface: 'inner', mode });
      expect(link.info()).toMatchObject({
        kind: 'xdp',
        programId: object.programs.countPackets.info().id,
      });
      await sendFrame();
      await expect.poll(() => counted(0)).toBeGreaterThan(0n);
      link.close();
      link.close();
      expect(attachedXdp()).not.toContain('prog/xdp');
    },
  );

  it('XDP says who is there already, and what is not there', () => {
    const link = attachXdp(object.programs.countPackets, { interface: 'inner' });
    const second = codeOf(() => attachXdp(object.programs.dropAll, { interface: 'inner' }));
    expect(second).toBe('EVENKEEL_BPF_EXISTS');
    expect(attachedXdp()).toContain(`id ${object.programs.countPackets.info().id}`);
    link.close();
    expect(codeOf(() => attachXdp(object.programs.dropAll, { interface: 'nobody' }))).toBe(
      'EVENKEEL_BPF_NOT_FOUND',
    );
    expect(codeOf(() => attachXdp(object.programs.dropAll, { interface: 0 }))).toBe(
      'EVENKEEL_BPF_ARGUMENT',
    );
    expect(() =>
      attachXdp(object.programs.countPackets, { interface: 'lo', mode: 'native' }),
    ).toThrow('use mode "generic"');
    expect(() =>
      attachXdp(object.programs.countPackets, { interface: 'lo', mode: 'offload' }),
    ).toThrow('use mode "native" or "generic"');
  });

  it('a link changes its program in one step', () => {
    const link = attachXdp(object.programs.countPackets, { interface: 'inner' });
    const { countPackets, dropAll, countFrames } = object.programs;
    link.update(dropAll, countPackets);
    expect(link.info().programId).toBe(dropAll.info().id);
    expect(codeOf(() => link.update(countPackets, countPackets))).toBe('EVENKEEL_BPF_PERMISSION');
    expect(codeOf(() => link.update(countFrames))).toBe('EVENKEEL_BPF_ARGUMENT');
    expect(link.info().programId).toBe(dropAll.info().id);
    link.close();
  });

  it('a link whose interface goes says so', () => {
    addVeth('short', 'lived');
    const link = attachXdp(object.programs.countPackets, { interface: 'short', mode: 'generic' });
    run('ip', 'link', 'del', 'short');
    expect(link.info().interfaceIndex).toBe(0);
    link.close();
  });

  it('TCX sees frames in both directions', async () => {
    const outgoing = attachTcx(object.programs.countFrames, {
      interface: 'outer',
      direction: 'egress',
    });
    const incoming = attachTcx(object.programs.countFrames, {
      interface: 'inner',
      direction: 'ingress',
      position: 'first',
    });
    expect(incoming.info()).toMatchObject({ kind: 'tcx', attachType: 'tcx-ingress' });
    await sendFrame();
    await expect.poll(() => counted(2)).toBeGreaterThanOrEqual(2n);
    outgoing.close();
    incoming.detach();
    expect(incoming.info().interfaceIndex).toBe(0);
    incoming.close();
    const before = counted(2);
    await sendFrame();
    expect(counted(2)).toBe(before);
  });

  describe('in a cgroup', () => {
    const connectOnce = `require('net').connect(1, '127.0.0.1').on('error', (e) => console.log(e.code))`;

    it('programs see the processes inside, and only those', () => {
      const link = attachCgroup(object.programs.connect4, { cgroup: lab.cgroup });
      expect(link.info()).toMatchObject({ kind: 'cgroup', attachType: 'cgroup-connect4' });
      expect(runInCgroup(lab.cgroup, connectOnce).stdout).toBe('ECONNREFUSED\n');
      expect(object.globals.bss.get('seenByConnect')).toBe(1n);
      expect(runInCgroup(join(lab.cgroup, '..'), connectOnce).stdout).toBe('ECONNREFUSED\n');
      expect(object.globals.bss.get('seenByConnect')).toBe(1n);
      const events: unknown[] = [];
      const reader = object.maps.events.read(eventCodec, (event) => events.push(event));
      reader.drain();
      expect(events).toEqual([{ atNs: expect.any(BigInt), ip4: 0x7f00_0001, port: 1, family: 2 }]);
      reader.close();
      link.close();
      runInCgroup(lab.cgroup, connectOnce);
      expect(object.globals.bss.get('seenByConnect')).toBe(1n);
    });

    it('programs refuse, and stand side by side', () => {
      const first = attachCgroup(object.programs.connect4, { cgroup: lab.cgroup });
      const second = attachCgroup(object.programs.refuseConnect4, { cgroup: lab.cgroup });
      expect(runInCgroup(lab.cgroup, connectOnce).stdout).toBe('EPERM\n');
      expect(object.globals.bss.get('seenByConnect')).toBe(1n);
      second.close();
      expect(runInCgroup(lab.cgroup, connectOnce).stdout).toBe('ECONNREFUSED\n');
      first.close();
    });

    it('a folder that is no cgroup is refused', () => {
      const { connect4 } = object.programs;
      expect(() => attachCgroup(connect4, { cgroup: lab.bpffs })).toThrow(
        'not in a cgroup v2 hierarchy',
      );
      expect(codeOf(() => attachCgroup(connect4, { cgroup: '/nowhere' }))).toBe(
        'EVENKEEL_BPF_NOT_FOUND',
      );
    });
  });

  it('sk_lookup decides about connections in the network namespace', async () => {
    const server: Server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const attempt = (): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket
          .on('connect', () => resolve('connected'))
          .on('error', (error) => resolve(String(error)));
        socket.resume();
      });
    expect(await attempt()).toBe('connected');
    const link = attachSkLookup(object.programs.refuseLookup);
    expect(link.info()).toMatchObject({ kind: 'netns', attachType: 'sk-lookup' });
    expect(await attempt()).toContain('ECONNREFUSED');
    expect(counted(3)).toBeGreaterThan(0n);
    link.close();
    expect(await attempt()).toBe('connected');
    server.close();
  });

  describe('and processes', () => {
    const children: ChildProcess[] = [];
    const start = async (...args: string[]): Promise<ChildProcess> => {
      const file = join(support, 'attach-and-wait.ts');
      const child = spawn(process.execPath, ['--conditions=@evenkeel/source', file, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const [text] = (await once(child.stdout, 'data')) as [Buffer];
      expect(String(text)).toBe('attached\n');
      return child;
    };
    const kill = async (child: ChildProcess): Promise<void> => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    };
    afterAll(() => children.forEach((child) => void child.kill('SIGKILL')));

    it('a process that is killed leaves nothing attached', async () => {
      const child = await start('inner');
      expect(attachedXdp()).toContain('prog/xdp');
      await kill(child);
      await expect.poll(attachedXdp).not.toContain('prog/xdp');
    });

    it('pinned, everything goes on without its process, and a successor takes over without a gap', async () => {
      const folder = join(lab.bpffs, 'edge', 'deep');
      await kill(await start('inner', folder));
      expect(attachedXdp()).toContain('prog/xdp');
      await sendFrame();

      const stats = adoptMap(basic.maps.stats, join(folder, 'stats'));
      const link = adoptLink(join(folder, 'link'));
      expect(stats).toBeDefined();
      await expect.poll(() => sumOf(stats!, 0)).toBeGreaterThan(0n);
      const before = sumOf(stats!, 0);
      const predecessor = link!.info().programId;

      const successor = loadObject(basic, { maps: { stats: stats! } });
      link!.update(successor.programs.countPackets);
      expect(link!.info().programId).not.toBe(predecessor);
      await sendFrame();
      await expect.poll(() => sumOf(successor.maps.stats, 0)).toBeGreaterThan(before);

      expect(unpin(join(folder, 'link'))).toBe(true);
      expect(attachedXdp()).toContain('prog/xdp');
      link!.close();
      await expect.poll(attachedXdp).not.toContain('prog/xdp');
      expect(unpin(join(folder, 'stats'))).toBe(true);
      stats!.close();
      successor.close();
      expect(readdirSync(folder)).toEqual([]);
    });

    it('a reader of a ring buffer keeps no process from ending', () => {
      const result = runNode(join(support, 'read-and-end.ts'));
      expect(result.stdout).toBe('reading\n');
      expect(result.status).toBe(0);
    });
  });

  describe('pins', () => {
    it('replace each other in one step', () => {
      const path = join(lab.bpffs, 'program');
      pin(object.programs.countPackets, path);
      expect(codeOf(() => pin(object.programs.dropAll, path))).toBe('EVENKEEL_BPF_EXISTS');
      pin(object.programs.dropAll, path, { replace: true });
      const adopted = adoptProgram(basic.programs.dropAll, path);
      expect(adopted?.info().id).toBe(object.programs.dropAll.info().id);
      adopted?.close();
      expect(readdirSync(lab.bpffs).filter((name) => name.startsWith('program'))).toEqual([
        'program',
      ]);
      expect(unpin(path)).toBe(true);
      expect(unpin(path)).toBe(false);
    });

    it('are adopted only as what they are', () => {
      const path = join(lab.bpffs, 'thing');
      expect(adoptMap(basic.maps.stats, path)).toBeUndefined();
      expect(adoptLink(path)).toBeUndefined();
      pin(object.maps.recent, path);
      expect(() => adoptMap(basic.maps.stats, path)).toThrow(
        'type lru-hash instead of percpu-array',
      );
      expect(codeOf(() => adoptProgram(basic.programs.dropAll, path))).toBe(
        'EVENKEEL_BPF_ARGUMENT',
      );
      expect(codeOf(() => adoptLink(path))).toBe('EVENKEEL_BPF_ARGUMENT');
      unpin(path);
      // The numbers of the types are the same, 6: only the kind of descriptor tells them apart.
      pin(object.maps.stats, path);
      expect(() => adoptProgram(basic.programs.dropAll, path)).toThrow('no prog but a map');
      unpin(path);
    });

    it('at the usual place mount a BPF file system there when there is none', () => {
      // In this process's own mount namespace; what the machine has there is covered, not changed.
      run('mount', '-t', 'tmpfs', 'tmpfs', '/sys/fs/bpf');
      const path = '/sys/fs/bpf/evenkeel/test/recent';
      pin(object.maps.recent, path);
      expect(isBpffs('/sys/fs/bpf')).toBe(true);
      const adopted = adoptMap(basic.maps.recent, path);
      expect(adopted?.info().id).toBe(object.maps.recent.info().id);
      adopted?.close();
      unpin(path);
      run('umount', '/sys/fs/bpf');
      run('umount', '/sys/fs/bpf');
    });

    it('need a BPF file system, which is mounted once', () => {
      expect(isBpffs(lab.bpffs)).toBe(true);
      expect(ensureBpffs(lab.bpffs)).toBe(false);
      const outside = join(lab.bpffs, '..', 'plain');
      expect(() => pin(object.maps.recent, join(outside, 'map'))).toThrow(
        'is not in a BPF file system',
      );
      expect(existsSync(join(outside, 'map'))).toBe(false);
    });
  });
});
