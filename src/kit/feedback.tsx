import type { ReactNode } from 'react';

import type { PerijoveError } from '../api/errors';
import { Button } from './button';
import { classes } from './classes';
import type { Resource } from './resource';
import { useTrans } from './services';

export interface EmptyProps {
  /** One sentence that says what is not here, and why one would want it. */
  children: ReactNode;
  /** The one next thing to do. */
  action?: ReactNode;
}

/** What stands where nothing is yet. */
export function Empty({ children, action }: EmptyProps): JSX.Element {
  return (
    <div className="pj-Empty">
      <p className="pj-Empty-text">{children}</p>
      {action}
    </div>
  );
}

export interface ErrorViewProps {
  error: PerijoveError;
  /** Offers to try again. */
  retry?: () => void;
  /** A line above content that is still there, instead of a block in its place. */
  compact?: boolean;
}

/** What happened, why, what to do, and a way to try again. */
export function ErrorView({ error, retry, compact = false }: ErrorViewProps): JSX.Element {
  const trans = useTrans();
  return (
    <div className={classes('pj-Error', compact && 'pj-mod-compact')} role="alert">
      <div className="pj-Error-text">
        <p className="pj-Error-message">{error.message}</p>
        {error.hint !== '' && <p className="pj-Error-hint">{error.hint}</p>}
        {!compact && (
          <details className="pj-Error-details">
            <summary>{trans.__('Details')}</summary>
            <code>{error.status === 0 ? error.code : `${error.code} · HTTP ${error.status}`}</code>
          </details>
        )}
      </div>
      {retry !== undefined && <Button onClick={retry}>{trans.__('Retry')}</Button>}
    </div>
  );
}

/** Grey lines in the place of what is loaded for the first time. */
export function Skeleton({ lines = 4 }: { lines?: number }): JSX.Element {
  const trans = useTrans();
  return (
    <div className="pj-Skeleton" role="status" aria-label={trans.__('Loading')}>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className="pj-Skeleton-line" />
      ))}
    </div>
  );
}

/** A thin bar above content that is being refreshed. It takes no room. */
export function LoadingBar({ active }: { active: boolean }): JSX.Element {
  return (
    <div className="pj-LoadingBar" aria-hidden="true">
      {active && <div className="pj-LoadingBar-run" />}
    </div>
  );
}

export interface LoadedProps<T> {
  resource: Resource<T>;
  /** What stands there the first time; grey lines when left out. */
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/**
 * The content of a resource in all its conditions: a skeleton the first time, then the content
 * with a bar above while it is refreshed, an error in its place or, with old content, above it.
 */
export function Loaded<T>({ resource, skeleton, children }: LoadedProps<T>): JSX.Element {
  const { data, error, loading, reload } = resource;
  if (data === undefined) {
    return error === undefined ? (
      <>{skeleton ?? <Skeleton />}</>
    ) : (
      <ErrorView error={error} retry={reload} />
    );
  }
  return (
    <>
      <LoadingBar active={loading} />
      {error !== undefined && <ErrorView error={error} retry={reload} compact />}
      {children(data)}
    </>
  );
}
