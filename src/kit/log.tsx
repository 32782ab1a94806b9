import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { asPerijoveError, isAbort, type PerijoveError } from '../api/errors';
import { Button } from './button';
import { classes } from './classes';
import { ErrorView, Skeleton } from './feedback';
import { printable } from './printed';
import { useProjectPath, useServices, useTrans, useVisible } from './services';

/** So much of the end is read first, in bytes. */
const TAIL = 64 * 1024;
/** So much is kept, in characters; a job may print for days. */
const KEEP = 512 * 1024;
/** Milliseconds between two looks, at least. */
const PAUSE = 1000;
/** The end counts as seen this near to it, in pixels. */
const NEAR = 12;

interface Printed {
  text: string;
  /** There is more before it. */
  cut: boolean;
  ended: boolean;
}

/** What a job prints, from its end on, while it is on screen. */
function useJobLog(id: string): {
  printed: Printed | undefined;
  error: PerijoveError | undefined;
  retry: () => void;
} {
  const { client } = useServices();
  const project = useProjectPath();
  const visible = useVisible();
  const [printed, setPrinted] = useState<Printed>();
  const [error, setError] = useState<PerijoveError>();
  const [attempt, setAttempt] = useState(0);
  const place = useRef<number>();
  useEffect(() => {
    place.current = undefined;
    setPrinted(undefined);
    setError(undefined);
  }, [client, project, id]);
  useEffect(() => {
    if (!visible) {
      return;
    }
    const leave = new AbortController();
    const follow = async (): Promise<void> => {
      while (!leave.signal.aborted) {
        const from = place.current;
        const log = await client.get('/jobs/{job}/log', {
          path: { job: id },
          query: { offset: from ?? -TAIL },
          signal: leave.signal
        });
        const skipped = from === undefined && log.offset > TAIL;
        place.current = log.offset;
        setPrinted(old => joined(old, log.text, skipped, log.ended));
        if (log.ended && (log.text === '' || log.offset === from)) {
          return;
        }
        if (!log.ended) {
          await pause(leave.signal);
        }
      }
    };
    follow().catch((failure: unknown) => {
      if (!isAbort(failure)) {
        setError(asPerijoveError(failure));
      }
    });
    return () => leave.abort();
  }, [client, project, id, visible, attempt]);
  return {
    printed,
    error,
    retry: () => {
      setError(undefined);
      setAttempt(attempt + 1);
    }
  };
}

function joined(old: Printed | undefined, text: string, skipped: boolean, ended: boolean): Printed {
  const whole = (old?.text ?? '') + text;
  const cut = (old?.cut ?? false) || skipped;
  if (whole.length <= KEEP) {
    return { text: whole, cut, ended };
  }
  const from = whole.length - KEEP;
  const line = whole.indexOf('\n', from);
  return { text: whole.slice(line < 0 ? from : line + 1), cut: true, ended };
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(done, PAUSE);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}

export interface JobLogProps {
  id: string;
  /** Takes the height of what holds it. */
  fill?: boolean;
}

/** What a job prints. It follows the end while that is in view, and else stays where it is. */
export function JobLog({ id, fill = false }: JobLogProps): JSX.Element {
  const trans = useTrans();
  const { printed, error, retry } = useJobLog(id);
  const text = useMemo(() => printable(printed?.text ?? ''), [printed?.text]);
  const frame = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  const [away, setAway] = useState(false);
  const toEnd = (): void => {
    const node = frame.current;
    if (node !== null) {
      node.scrollTop = node.scrollHeight;
    }
  };
  useLayoutEffect(() => {
    if (follows.current) {
      toEnd();
    }
  }, [text]);
  if (printed === undefined) {
    return error === undefined ? <Skeleton lines={3} /> : <ErrorView error={error} retry={retry} />;
  }
  return (
    <div className={classes('pj-Log', fill && 'pj-mod-fill')}>
      {error !== undefined && <ErrorView error={error} retry={retry} compact />}
      <pre
        className="pj-Code pj-Log-text"
        role="log"
        aria-live="off"
        aria-label={trans.__('Log')}
        tabIndex={0}
        ref={frame}
        onScroll={({ currentTarget: node }) => {
          follows.current = node.scrollHeight - node.scrollTop - node.clientHeight <= NEAR;
          setAway(!follows.current);
        }}
      >
        {printed.cut && (
          <span className="pj-mod-quiet">{trans.__('Earlier lines are left out here.\n')}</span>
        )}
        {text === '' ? (
          <span className="pj-mod-quiet">
            {printed.ended ? trans.__('It printed nothing.') : trans.__('Nothing was printed yet.')}
          </span>
        ) : (
          text
        )}
      </pre>
      {away && (
        <Button className="pj-Log-end" onClick={toEnd}>
          {printed.ended ? trans.__('To the end') : trans.__('Follow')}
        </Button>
      )}
    </div>
  );
}
