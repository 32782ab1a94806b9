import { describe, expect, it, vi } from 'vitest';

import { EndpointTabs } from '../tabs';
import type { IEndpointTab } from '../tokens';

const tab = (id: string, order: number): IEndpointTab => ({
  id,
  label: id,
  order,
  render: () => null
});

describe('the tabs of the endpoint page', () => {
  it('stand in their order whoever came first, and tell when they change', () => {
    const tabs = new EndpointTabs();
    const changed = vi.fn();
    tabs.changed.connect(changed);
    tabs.add(tab('late', 20));
    const first = tabs.add(tab('first', 10));
    expect(tabs.items().map(({ id }) => id)).toEqual(['first', 'late']);
    first.dispose();
    first.dispose();
    expect(tabs.items().map(({ id }) => id)).toEqual(['late']);
    expect(changed).toHaveBeenCalledTimes(3);
  });

  it('have each id once', () => {
    const tabs = new EndpointTabs();
    tabs.add(tab('x', 1));
    expect(() => tabs.add(tab('x', 2))).toThrow('"x"');
  });
});
