import { describe, expect, it } from 'vitest';
import type { BodyFilter } from '../../filter/filter.ts';
import { BodyChain, type BodyChainOwner } from './body-chain.ts';

interface Log extends BodyChainOwner {
  readonly events: string[];
}

function log(): Log {
  const events: string[] = [];
  return {
    events,
    onChunk: (bytes) => void events.push(bytes.toString()),
    onDone: () => void events.push('done'),
    onError: (error) => void events.push(`error ${(error as Error).message}`),
    onReady: () => void events.push('ready'),
  };
}

const suffix = (text: string, events: string[] = []): BodyFilter => ({
  transform: (chunk) => Buffer.concat([chunk, Buffer.from(text)]),
  flush: () => Buffer.from(`<${text}`),
  close: () => void events.push(`close ${text}`),
});

/** Holds each chunk until it is let go. */
function gated(): { readonly filter: BodyFilter; release(): Promise<void> } {
  const waiting: (() => void)[] = [];
  return {
    filter: {
      transform: (chunk) => new Promise((resolve) => waiting.push(() => resolve(chunk))),
    },
    async release() {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('a chain of body filters', () => {
  it('passes chunks through all of them, and what is flushed through those behind', () => {
    const owner = log();
    const chain = new BodyChain([suffix('a', owner.events), suffix('b', owner.events)], owner);
    chain.write(Buffer.from('1'));
    chain.write(Buffer.alloc(0));
    chain.write(Buffer.from('2'));
    chain.end();
    expect(owner.events).toEqual(['1ab', '2ab', '<ab', '<b', 'close a', 'close b', 'done']);
    chain.write(Buffer.from('3'));
    chain.end();
    chain.close();
    expect(owner.events).toHaveLength(7);
  });

  it('keeps the order while a filter takes its time', async () => {
    const owner = log();
    const { filter, release } = gated();
    const chain = new BodyChain([suffix('a'), filter], owner);
    chain.write(Buffer.from('1'));
    expect(chain.busy).toBe(true);
    chain.write(Buffer.from('2'));
    chain.end();
    expect(owner.events).toEqual([]);
    await release();
    expect(owner.events).toEqual(['1a']);
    await release();
    // What is flushed waits in the same way.
    await release();
    expect(owner.events).toEqual(['1a', '2a', '<a', 'done']);
  });

  it('says when it can be fed again', async () => {
    const owner = log();
    const { filter, release } = gated();
    const chain = new BodyChain([filter], owner);
    chain.write(Buffer.from('1'));
    await release();
    expect([owner.events, chain.busy]).toEqual([['1', 'ready'], false]);
  });

  it('ends with the first error, and closes every filter once', async () => {
    const owner = log();
    const fails: BodyFilter = { transform: () => Promise.reject(new Error('no')) };
    const chain = new BodyChain([fails, suffix('b', owner.events)], owner);
    chain.write(Buffer.from('1'));
    chain.write(Buffer.from('2'));
    await new Promise((resolve) => setImmediate(resolve));
    chain.close();
    expect(owner.events).toEqual(['close b', 'error no']);
  });

  it('says nothing after it was closed', async () => {
    const owner = log();
    const { filter, release } = gated();
    const chain = new BodyChain([filter], owner);
    chain.write(Buffer.from('1'));
    chain.close();
    await release();
    expect(owner.events).toEqual([]);
  });

  it('lets no filter keep others from being closed', () => {
    const owner = log();
    const rude: BodyFilter = {
      transform: (chunk) => chunk,
      close() {
        throw new Error('rude');
      },
    };
    const chain = new BodyChain([rude, suffix('b', owner.events)], owner);
    chain.close();
    expect(owner.events).toEqual(['close b']);
  });
});
