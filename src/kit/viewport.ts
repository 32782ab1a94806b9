import { useCallback, useEffect, useLayoutEffect, useState } from 'react';

/** Rows that are made above and below those in view. */
const OVERSCAN = 4;
/** Sideways, a viewport is told in steps of so many pixels. */
const STRIDE = 200;

export interface Viewport {
  /** The rows to be made, from `first` up to before `last`. */
  first: number;
  last: number;
  /** The first row that is seen. */
  top: number;
  /** How far it is scrolled sideways, and how wide it is, in pixels. */
  left: number;
  width: number;
  /** Look again, as after a scroll. */
  measure: () => void;
}

/** What of a long list of rows of equal height is in view. */
export function useViewport(
  node: HTMLElement | null,
  row: number,
  total: number,
  head: number
): Viewport {
  const [view, setView] = useState({ top: 0, rows: 40, left: 0, width: 1200 });
  const measure = useCallback((): void => {
    if (node === null) {
      return;
    }
    const next = {
      top: Math.floor(node.scrollTop / row),
      rows: Math.ceil(Math.max(0, node.clientHeight - head) / row) || 40,
      left: Math.floor(Math.abs(node.scrollLeft) / STRIDE) * STRIDE,
      width: Math.ceil(node.clientWidth / STRIDE) * STRIDE || 1200
    };
    setView(old =>
      old.top === next.top &&
      old.rows === next.rows &&
      old.left === next.left &&
      old.width === next.width
        ? old
        : next
    );
  }, [node, row, head]);
  // Another number of rows moves the scroll position; the observer tells of another size.
  useLayoutEffect(measure, [measure, total]);
  useEffect(() => {
    if (node === null || typeof ResizeObserver === 'undefined') {
      return;
    }
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, [node, measure]);
  const first = Math.max(0, Math.min(view.top - OVERSCAN, total - view.rows));
  return {
    first,
    last: Math.min(total, view.top + view.rows + OVERSCAN),
    top: view.top,
    left: view.left,
    width: view.width,
    measure
  };
}
