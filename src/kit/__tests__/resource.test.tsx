import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeSocket } from '../../api/__tests__/fake_socket';
import type { IPerijove } from '../../api/tokens';
import { useResource } from '../resource';
import { VisibleContext } from '../services';
import { services, wrapper } from './fakes';

const PROJECTS = {
  items: [
    { path: 'one', name: 'One' },
    { path: 'two', name: 'Two' }
  ]
};

let asked: string[];
let answer: () => unknown;
let perijove: IPerijove;

function setUp(): void {
  asked = [];
  answer = () => ({ items: [`answer ${asked.length}`] });
  perijove = services({
    'GET /projects': () => PROJECTS,
    'GET /runs': (_, url) => {
      asked.push(url.search);
      return answer();
    }
  });
}

/** Hides what is below until it is told to show it. */
function Curtain(props: {
  children: ReactNode;
  onMade: (show: (visible: boolean) => void) => void;
}): JSX.Element {
  const [visible, setVisible] = useState(false);
  props.onMade(setVisible);
  return <VisibleContext.Provider value={visible}>{props.children}</VisibleContext.Provider>;
}

function useRuns(key = 'runs') {
  return useResource([key], ['develop'], (client, signal) => client.get('/runs', { signal }));
}

describe('useResource', () => {
  beforeEach(async () => {
    FakeSocket.made = [];
    setUp();
    await perijove.project.refresh();
  });

  afterEach(cleanup);

  it('asks for the current project and shows the answer', async () => {
    const { result } = renderHook(() => useRuns(), { wrapper: wrapper(perijove) });
    expect(result.current).toMatchObject({ data: undefined, loading: true });
    await waitFor(() => expect(result.current.data).toEqual({ items: ['answer 1'] }));
    expect(result.current.loading).toBe(false);
    expect(asked).toEqual(['?project=one']);
  });

  it('asks again when its topic changes, and keeps the old answer meanwhile', async () => {
    const { result } = renderHook(() => useRuns(), { wrapper: wrapper(perijove) });
    await waitFor(() => expect(result.current.loading).toBe(false));
    act(() => perijove.events.announce('deploy'));
    expect(asked).toHaveLength(1);
    let release: (body: unknown) => void = () => {};
    answer = () => new Promise(resolve => (release = resolve));
    act(() => perijove.events.announce('develop'));
    await waitFor(() => expect(result.current.loading).toBe(true));
    expect(result.current.data).toEqual({ items: ['answer 1'] });
    await waitFor(() => expect(asked).toHaveLength(2));
    release({ items: ['answer 2'] });
    await waitFor(() => expect(result.current.data).toEqual({ items: ['answer 2'] }));
  });

  it('makes one call of many news', async () => {
    const { result } = renderHook(() => useRuns(), { wrapper: wrapper(perijove) });
    await waitFor(() => expect(result.current.loading).toBe(false));
    act(() => {
      for (let index = 0; index < 20; index += 1) {
        perijove.events.announce('develop');
      }
    });
    await waitFor(() => expect(result.current.data).toEqual({ items: ['answer 2'] }));
    expect(asked).toHaveLength(2);
  });

  it('keeps the old answer beside an error, and loses the error with the next answer', async () => {
    const { result } = renderHook(() => useRuns(), { wrapper: wrapper(perijove) });
    await waitFor(() => expect(result.current.loading).toBe(false));
    answer = () =>
      new Response(JSON.stringify({ code: 'broken', message: 'It broke.', hint: 'Mend it.' }), {
        status: 422
      });
    act(() => result.current.reload());
    await waitFor(() => expect(result.current.error?.message).toBe('It broke.'));
    expect(result.current.error).toMatchObject({ code: 'broken', hint: 'Mend it.', status: 422 });
    expect(result.current.data).toEqual({ items: ['answer 1'] });
    answer = () => ({ items: ['mended'] });
    act(() => result.current.reload());
    await waitFor(() => expect(result.current.data).toEqual({ items: ['mended'] }));
    expect(result.current.error).toBeUndefined();
  });

  it('drops the old answer for another key and for another project', async () => {
    const { result, rerender } = renderHook(({ key }) => useRuns(key), {
      wrapper: wrapper(perijove),
      initialProps: { key: 'a' }
    });
    await waitFor(() => expect(result.current.data).toBeDefined());
    rerender({ key: 'b' });
    expect(result.current.data).toBeUndefined();
    await waitFor(() => expect(result.current.data).toEqual({ items: ['answer 2'] }));
    act(() => void perijove.project.select('two'));
    expect(result.current.data).toBeUndefined();
    await waitFor(() => expect(asked[2]).toBe('?project=two'));
  });

  it('gives its call up when the component goes', async () => {
    let signal: AbortSignal | undefined;
    const { unmount } = renderHook(
      () =>
        useResource(['slow'], [], (_, given) => {
          signal = given;
          return new Promise(() => {});
        }),
      { wrapper: wrapper(perijove) }
    );
    await waitFor(() => expect(signal).toBeDefined());
    unmount();
    expect(signal?.aborted).toBe(true);
  });

  it('sleeps while its page is hidden', async () => {
    let show: (visible: boolean) => void = () => {};
    const Outer = wrapper(perijove);
    const { result } = renderHook(() => useRuns(), {
      wrapper: ({ children }) => {
        return (
          <Outer>
            <Curtain onMade={made => (show = made)}>{children}</Curtain>
          </Outer>
        );
      }
    });
    act(() => perijove.events.announce('develop'));
    expect(asked).toHaveLength(0);
    act(() => show(true));
    await waitFor(() => expect(result.current.data).toEqual({ items: ['answer 1'] }));
  });

  it('makes one call for all that ask for the same thing', async () => {
    const hooks = [0, 1, 2].map(() => renderHook(() => useRuns(), { wrapper: wrapper(perijove) }));
    for (const { result } of hooks) {
      await waitFor(() => expect(result.current.data).toEqual({ items: ['answer 1'] }));
    }
    hooks[0]!.unmount();
    act(() => perijove.events.announce('develop'));
    await waitFor(() => expect(hooks[2]!.result.current.data).toEqual({ items: ['answer 2'] }));
    expect(asked).toHaveLength(2);
  });

  it('has the last answer at once when it comes back, and asks whether it still holds', async () => {
    const first = renderHook(() => useRuns(), { wrapper: wrapper(perijove) });
    await waitFor(() => expect(first.result.current.data).toBeDefined());
    first.unmount();
    const { result } = renderHook(() => useRuns(), { wrapper: wrapper(perijove) });
    expect(result.current.data).toEqual({ items: ['answer 1'] });
    await waitFor(() => expect(result.current.data).toEqual({ items: ['answer 2'] }));
  });

  it('asks again and again without a sign of it', async () => {
    const loading: boolean[] = [];
    const { result, unmount } = renderHook(
      ({ every }: { every: number }) => {
        const runs = useResource(
          ['polled'],
          [],
          (client, signal) => client.get('/runs', { signal }),
          { every: data => (data === undefined ? undefined : every) }
        );
        loading.push(runs.loading);
        return runs;
      },
      { wrapper: wrapper(perijove), initialProps: { every: 20 } }
    );
    await waitFor(() => expect(asked.length).toBeGreaterThan(2), { timeout: 3000 });
    expect(result.current.data).toBeDefined();
    expect(loading.lastIndexOf(true)).toBeLessThan(loading.indexOf(false));
    unmount();
  });

  it('gets news where there is no sidebar', async () => {
    const { result, unmount } = renderHook(() => useRuns(), { wrapper: wrapper(perijove) });
    await waitFor(() => expect(result.current.data).toBeDefined());
    expect(FakeSocket.made).toHaveLength(1);
    unmount();
  });
});
