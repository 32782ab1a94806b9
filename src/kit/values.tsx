import type { ReactNode } from 'react';
import { useEffect, useReducer } from 'react';

import type { WireNumber } from '../api/types';
import { classes } from './classes';
import { absolute, figure, full, relative } from './format';

/** A measured value: three figures, all of them on hover. */
export function Figure({ value }: { value: WireNumber | null | undefined }): JSX.Element {
  return (
    <span className="pj-Figure" title={full(value)}>
      {figure(value)}
    </span>
  );
}

/** A time as how long ago it was, the date on hover. */
export function Time({ at }: { at: number | null | undefined }): JSX.Element {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(tick, 30_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time
      className="pj-Time"
      title={absolute(at)}
      dateTime={at === null || at === undefined ? undefined : new Date(at).toISOString()}
    >
      {relative(at)}
    </time>
  );
}

/** Text in one line; what does not fit is on hover. */
export function Ellipsis({ text, className }: { text: string; className?: string }): JSX.Element {
  return (
    <span className={classes('pj-Ellipsis', className)} title={text}>
      {text}
    </span>
  );
}

export interface KeyValueProps {
  /** Name and value. A value that is null is left out. */
  items: readonly (readonly [string, ReactNode])[];
}

/** Facts as names and values. */
export function KeyValue({ items }: KeyValueProps): JSX.Element {
  return (
    <dl className="pj-KeyValue">
      {items
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name} className="pj-KeyValue-row">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A word in a rounded frame, such as a role or a warning. */
export function Badge(props: {
  children: ReactNode;
  look?: 'plain' | 'ok' | 'attention' | 'failed';
  title?: string;
}): JSX.Element {
  return (
    <span className={classes('pj-Badge', `pj-mod-${props.look ?? 'plain'}`)} title={props.title}>
      {props.children}
    </span>
  );
}
