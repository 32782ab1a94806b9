import { Clipboard, Notification } from '@jupyterlab/apputils';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { asPerijoveError, type Dataset, type PerijoveError } from '../../api';
import { Empty, ErrorView, Skeleton } from '../../kit/feedback';
import { count } from '../../kit/format';
import { useServices, useTrans } from '../../kit/services';
import type { ICursor, RowsGrid } from '../rows/grid';

/** The rows of a dataset's newest version in a grid that owns the height. */
export function Rows({ dataset }: { dataset: Dataset }): JSX.Element {
  const { name, version, target, time } = dataset;
  const { client } = useServices();
  const trans = useTrans();
  const host = useRef<HTMLDivElement>(null);
  const grid = useRef<RowsGrid | null>(null);
  const [ready, setReady] = useState(false);
  const [error, setError] = useState<PerijoveError>();
  const [view, setView] = useState({ first: 0, last: 0 });
  const [cursor, setCursor] = useState<ICursor | null>(null);
  const { facts } = dataset;
  const later = facts.columns
    .filter(column => column.known === 'after')
    .map(column => column.name)
    .join('\n');
  const notes = useMemo(() => {
    const found = new Map<string, string>();
    later.split('\n').forEach(column => found.set(column, trans.__('known after')));
    found.set(time, trans.__('time'));
    found.set(target, trans.__('target'));
    return found;
  }, [later, time, target, trans]);
  const newestNotes = useRef(notes);
  useEffect(() => {
    newestNotes.current = notes;
    grid.current?.refreshTheme();
  }, [notes]);

  const identity = `${name}@${version}`;
  // A layout effect, for a widget must be detached while its node is still in the page.
  useLayoutEffect(() => {
    const node = host.current;
    if (node === null || facts.rows === 0) {
      return;
    }
    let gone = false;
    const make = async (): Promise<void> => {
      const { RowsGrid: Grid } = await import('../rows/grid');
      if (gone) {
        return;
      }
      const made = new Grid({
        rows: facts.rows,
        columns: facts.columns,
        load: (offset, limit, signal) =>
          client.bytes('/datasets/{name}/rows', {
            path: { name },
            query: { version, offset, limit },
            signal
          }),
        failed: reason => setError(reason === undefined ? undefined : asPerijoveError(reason)),
        note: column => newestNotes.current.get(column) ?? '',
        viewed: (first, last) => setView({ first, last }),
        cursor: setCursor,
        copy: text => Clipboard.copyToSystem(text),
        copyRefused: limit =>
          void Notification.warning(
            trans.__(
              'At most %1 cells are copied at once. Read the dataset in the notebook instead.',
              count(limit)
            ),
            { autoClose: 6000 }
          )
      });
      // The columns get their widths from the first rows, so that nothing moves afterwards.
      await made.filled;
      if (gone) {
        made.dispose();
        return;
      }
      made.node.setAttribute('aria-label', trans.__('Rows of %1', name));
      Widget.attach(made, node);
      // Attached to a plain node, a grid is not told its size by a parent.
      MessageLoop.sendMessage(made, Widget.ResizeMessage.UnknownSize);
      grid.current = made;
      setReady(true);
    };
    make().catch((reason: unknown) => setError(asPerijoveError(reason)));
    const resized = new ResizeObserver(() => {
      if (grid.current?.isAttached === true) {
        MessageLoop.sendMessage(grid.current, Widget.ResizeMessage.UnknownSize);
      }
    });
    resized.observe(node);
    // JupyterLab names its theme on the body when the theme's style sheets are there.
    const themed = new MutationObserver(() => grid.current?.refreshTheme());
    themed.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
    return () => {
      gone = true;
      resized.disconnect();
      themed.disconnect();
      grid.current?.dispose();
      grid.current = null;
      setReady(false);
      setError(undefined);
      setCursor(null);
    };
    // A dataset version never changes: its name and version stand for the facts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [identity, client]);

  if (facts.rows === 0) {
    return <Empty>{trans.__('This version has no rows.')}</Empty>;
  }
  return (
    <div className="pj-Rows">
      {error !== undefined && (
        <ErrorView error={error} retry={() => grid.current?.retry()} compact />
      )}
      <div className="pj-Rows-grid" ref={host}>
        {!ready && error === undefined && <Skeleton lines={8} />}
      </div>
      <footer className="pj-Rows-status">
        <span className="pj-Rows-range">
          {view.last > 0
            ? trans.__('rows %1–%2 of %3', count(view.first), count(view.last), count(facts.rows))
            : trans.__('%1 rows', count(facts.rows))}
        </span>
        {cursor !== null && (
          <span className="pj-Rows-cursor" aria-live="polite" title={cursor.value}>
            <span className="pj-Rows-cell">
              {trans.__('row %1 · %2', count(cursor.row), cursor.column)}
            </span>
            <code>{cursor.value}</code>
          </span>
        )}
      </footer>
    </div>
  );
}
