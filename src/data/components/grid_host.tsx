import { Clipboard, Notification } from '@jupyterlab/apputils';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import {
  forwardRef,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState
} from 'react';

import { asPerijoveError, type PerijoveError } from '../../api';
import { ErrorView, Skeleton } from '../../kit/feedback';
import { count } from '../../kit/format';
import { useTrans } from '../../kit/services';
import type { ICursor, IMenuPlace, RowsGrid } from '../rows/grid';
import type { IHeaderFacts } from '../rows/headers';
import type { RowsModel } from '../rows/model';

/** What the grid shows. */
export interface GridView extends Omit<RowsModel.IOptions, 'failed'> {
  /** Another key is another set of rows or columns; the same key may have more rows. */
  key: string;
}

export interface IGridHandle {
  goTo(row: number, column: string): void;
  focus(): void;
}

export interface GridHostProps {
  label: string;
  /** Another table makes another grid. */
  identity: string;
  /** Undefined until the first rows can be asked for. */
  view: GridView | undefined;
  header: (column: string) => IHeaderFacts;
  /** Differs when headers say something else than before. */
  headerKey: string;
  onViewed: (first: number, last: number) => void;
  onCursor: (cell: ICursor | null) => void;
  onSort: (column: string, add: boolean) => void;
  onMenu: (place: IMenuPlace) => void;
}

/** A Lumino grid inside of React: it owns the height, and outlives changes of its view. */
export const GridHost = forwardRef<IGridHandle, GridHostProps>((props, handle) => {
  const { label, identity, view, headerKey } = props;
  const trans = useTrans();
  const host = useRef<HTMLDivElement>(null);
  const grid = useRef<RowsGrid | null>(null);
  const shown = useRef('');
  const [ready, setReady] = useState(false);
  const [error, setError] = useState<PerijoveError>();
  const newest = useRef(props);
  // A layout effect, for the one that makes the grid reads it in the same turn.
  useLayoutEffect(() => {
    newest.current = props;
  });
  useImperativeHandle(handle, () => ({
    goTo: (row, column) => grid.current?.goTo(row, column),
    focus: () => grid.current?.node.focus()
  }));
  const present = view !== undefined;

  // A layout effect, for a widget must be detached while its node is still in the page.
  useLayoutEffect(() => {
    const node = host.current;
    const first = newest.current.view;
    if (node === null || first === undefined) {
      return;
    }
    let gone = false;
    const make = async (): Promise<void> => {
      const { RowsGrid: Grid } = await import('../rows/grid');
      if (gone) {
        return;
      }
      const begin = newest.current.view ?? first;
      const made = new Grid({
        view: { ...begin, failed },
        header: column => newest.current.header(column),
        viewed: (from, to) => newest.current.onViewed(from, to),
        cursor: cell => newest.current.onCursor(cell),
        sort: (column, add) => newest.current.onSort(column, add),
        menu: place => newest.current.onMenu(place),
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
      shown.current = begin.key;
      // The columns get their widths from the first rows, so that nothing moves afterwards.
      await made.filled;
      if (gone) {
        made.dispose();
        return;
      }
      made.node.setAttribute('aria-label', newest.current.label);
      Widget.attach(made, node);
      // Attached to a plain node, a grid is not told its size by a parent.
      MessageLoop.sendMessage(made, Widget.ResizeMessage.UnknownSize);
      grid.current = made;
      setReady(true);
    };
    const failed = (reason: unknown): void => {
      if (!gone) {
        setError(reason === undefined ? undefined : asPerijoveError(reason));
      }
    };
    make().catch(failed);
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
      shown.current = '';
      setReady(false);
      setError(undefined);
      newest.current.onCursor(null);
    };
  }, [identity, present, trans]);

  useEffect(() => {
    if (!ready || view === undefined || grid.current === null) {
      return;
    }
    if (shown.current === view.key) {
      grid.current.grow(view.rows);
    } else {
      shown.current = view.key;
      setError(undefined);
      grid.current.showView({
        ...view,
        failed: reason => setError(reason === undefined ? undefined : asPerijoveError(reason))
      });
    }
  }, [ready, view]);
  useEffect(() => {
    grid.current?.node.setAttribute('aria-label', label);
  }, [label, ready]);
  useEffect(() => {
    grid.current?.refreshTheme();
  }, [headerKey]);

  return (
    <>
      {error !== undefined && (
        <ErrorView error={error} retry={() => grid.current?.retry()} compact />
      )}
      <div className="pj-Rows-grid" ref={host}>
        {!ready && error === undefined && <Skeleton lines={8} />}
      </div>
    </>
  );
});
