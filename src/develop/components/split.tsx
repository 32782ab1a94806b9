import { useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';

import { useTrans } from '../../kit/services';

const LEAST = 0.2;
const STEP = 0.02;

/** The share that the first part has before somebody drags. */
export const HALF = 0.58;

/** Two parts side by side with a divider that can be dragged; one above the other when narrow. */
export function Split(props: {
  first: ReactNode;
  second: ReactNode;
  /** Of the first part, in [0, 1]. */
  share: number;
  onShare: (share: number) => void;
}): JSX.Element {
  const trans = useTrans();
  const frame = useRef<HTMLDivElement>(null);
  const share = Math.max(LEAST, Math.min(1 - LEAST, props.share));
  const change = (next: number): void => props.onShare(Math.max(LEAST, Math.min(1 - LEAST, next)));
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const node = frame.current;
    if (node === null || !event.currentTarget.hasPointerCapture(event.pointerId)) {
      return;
    }
    const { left, width } = node.getBoundingClientRect();
    const from = (event.clientX - left) / width;
    change(getComputedStyle(node).direction === 'rtl' ? 1 - from : from);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      change(share + by);
    }
  };
  return (
    <div className="pj-Split" ref={frame}>
      <div className="pj-Split-part" style={{ flexGrow: share }}>
        {props.first}
      </div>
      <div
        className="pj-Split-divider"
        role="separator"
        aria-orientation="vertical"
        aria-label={trans.__('Width of the table')}
        aria-valuemin={LEAST * 100}
        aria-valuemax={(1 - LEAST) * 100}
        aria-valuenow={Math.round(share * 100)}
        tabIndex={0}
        onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onPointerMove}
        onKeyDown={onKeyDown}
      />
      <div className="pj-Split-part" style={{ flexGrow: 1 - share }}>
        {props.second}
      </div>
    </div>
  );
}
