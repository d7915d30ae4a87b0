/** Does TypeScript let the dispatcher stand where a dispatcher is wanted? Checked by the compiler; nothing is sent. */
import * as undici from 'undici';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type BoundFetch,
  createDispatcher,
  createFetch,
  type EvenkeelDispatcher,
} from './index.ts';
import { FakeCluster } from './test-support/fake-cluster.ts';

describe('types', () => {
  const dispatcher = createDispatcher({ clusters: [new FakeCluster()] });

  it('fit the functions of the installed undici', () => {
    expectTypeOf(dispatcher).toExtend<undici.Dispatcher>();
    expectTypeOf(undici.setGlobalDispatcher).toBeCallableWith(dispatcher);
    expectTypeOf(undici.request).toBeCallableWith('http://users/', { dispatcher });
    expectTypeOf(undici.fetch).toBeCallableWith('http://users/', { dispatcher });
  });

  it("fit Node's own fetch", () => {
    expectTypeOf(fetch).toBeCallableWith('http://users/', { dispatcher });
  });

  it('survive compose', () => {
    const composed = dispatcher.compose(
      (dispatch) => (options, handler) => dispatch({ ...options, path: '/' }, handler),
    );
    expectTypeOf(composed.stats.runningCount).toEqualTypeOf<number>();
  });

  it('are what the entry says', () => {
    expectTypeOf(dispatcher).toEqualTypeOf<EvenkeelDispatcher>();
    expectTypeOf(createFetch(dispatcher)).toEqualTypeOf<BoundFetch>();
    expect(dispatcher).toBeInstanceOf(undici.Dispatcher);
  });
});
