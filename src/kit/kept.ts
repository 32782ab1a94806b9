import type { PartialJSONObject, PartialJSONValue } from '@lumino/coreutils';
import { createContext, useCallback, useContext, useRef, useState } from 'react';

/** What a page remembers over a reload: how somebody looks at it, and not what it is about. */
export interface Memory {
  /** What was kept under this key; undefined when nothing was. */
  get(key: string): PartialJSONValue | undefined;
  set(key: string, value: PartialJSONValue): void;
}

/** The memory of the page around; null where there is none, as in a notebook's output. */
export const MemoryContext = createContext<Memory | null>(null);

/**
 * State that the layout restorer keeps with the page.
 *
 * @param key - What it is called, once in a page.
 * @param initial - What it is at first.
 * @param read - Makes sense of what was kept, which an older version may have written; undefined
 *   where it makes none.
 * @param write - What is kept of it, where that is less than all.
 */
export function useKept<T extends PartialJSONValue>(
  key: string,
  initial: T,
  read: (kept: unknown) => T | undefined,
  write: (value: T) => PartialJSONValue = same
): [T, (change: T | ((old: T) => T)) => void] {
  const memory = useContext(MemoryContext);
  const first = useRef({ initial, read, write });
  const load = useCallback(
    (): T => first.current.read(memory?.get(key)) ?? first.current.initial,
    [memory, key]
  );
  const [held, setHeld] = useState(() => ({ key, value: load() }));
  // Another key, such as that of another project, has a state of its own.
  const value = held.key === key ? held.value : load();
  const newest = useRef(value);
  newest.current = value;
  const change = useCallback(
    (next: T | ((old: T) => T)) => {
      const made = typeof next === 'function' ? next(newest.current) : next;
      newest.current = made;
      setHeld({ key, value: made });
      memory?.set(key, first.current.write(made));
    },
    [memory, key]
  );
  return [value, change];
}

/** A memory over one object, which tells when it changed. */
export class PageMemory implements Memory {
  constructor(kept: unknown, changed: () => void) {
    this._kept = isObject(kept) ? kept : {};
    this._changed = changed;
  }

  get kept(): PartialJSONObject {
    return this._kept;
  }

  get(key: string): PartialJSONValue | undefined {
    return this._kept[key];
  }

  set(key: string, value: PartialJSONValue): void {
    this._kept = { ...this._kept, [key]: value };
    this._changed();
  }

  private _kept: PartialJSONObject;
  private readonly _changed: () => void;
}

function same<T>(value: T): T {
  return value;
}

function isObject(value: unknown): value is PartialJSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
