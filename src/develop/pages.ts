import {
  asPerijoveError,
  type PerijoveError,
  type Request,
  type RunRow,
  type RunTable
} from '../api';
import { PAGE, Shown, type Ask, type Line } from './lines';

export type FetchTable = (
  request: Request<'RunsRequest'>,
  signal: AbortSignal
) => Promise<RunTable>;

/** What is known of the table now. Another object where anything is other than before. */
export interface TableSnapshot {
  /** Of the newest answer; undefined until the first one. */
  table: RunTable | undefined;
  /** What `values` of the lines are of. */
  columns: readonly string[];
  grouped: boolean;
  lines: number;
  line: (index: number) => Line | undefined;
  /** A number for the lines, another one when they may be other ones. */
  version: number;
  /** Differs with the question that the lines answer. */
  question: string;
  loading: boolean;
  error: PerijoveError | undefined;
  /** Why the newest search words cannot be followed; the lines are those of before. */
  fault: string;
}

/** Milliseconds between two times that the same lines are asked for again. */
const REST = 1000;

/**
 * The table of runs in pages, asked for as they come into view.
 *
 * Another question keeps the old lines until its first page is there; news asks again for the
 * pages in view and forgets the others.
 */
export class RunPages {
  constructor(fetch: FetchTable) {
    this._fetch = fetch;
  }

  readonly read = (): TableSnapshot => this._snapshot;

  readonly subscribe = (notice: () => void): (() => void) => {
    this._notices.add(notice);
    return () => {
      this._notices.delete(notice);
    };
  };

  /** Ask something else. */
  ask(ask: Ask): void {
    const question = JSON.stringify(ask);
    if (question === this._asked) {
      return;
    }
    this._asked = question;
    this._asking?.abort();
    void this._begin(ask);
  }

  /** These lines are in view. */
  view(first: number, last: number): void {
    this._view = [first, last];
    this._fill();
  }

  /** Open a group, or fold it. */
  toggle(key: string): void {
    const shown = this._shown;
    if (shown === null) {
      return;
    }
    if (!shown.open.delete(key)) {
      shown.unfold(key);
    }
    this._emit();
    this._fill();
  }

  /** Show at once what was just written on runs; the next answer has it from the server. */
  patch(ids: ReadonlySet<string>, change: Partial<RunRow>): void {
    this._shown?.patch(ids, change);
    this._emit();
  }

  /** The runs are not as they were. */
  refresh(): void {
    if (this._timer !== undefined) {
      this._again = true;
      return;
    }
    this._timer = setTimeout(() => {
      this._timer = undefined;
      if (this._again) {
        this._again = false;
        this.refresh();
      }
    }, REST);
    const shown = this._shown;
    if (shown === null) {
      return;
    }
    shown.controller.abort();
    shown.controller = new AbortController();
    shown.pending.clear();
    shown.stale = true;
    this._fill();
  }

  /** Ask the newest question again, as after a failure. */
  readonly retry = (): void => {
    if (this._ask !== null) {
      this._asking?.abort();
      void this._begin(this._ask);
    }
  };

  dispose(): void {
    clearTimeout(this._timer);
    this._asking?.abort();
    this._shown?.controller.abort();
    this._notices.clear();
  }

  private async _begin(ask: Ask): Promise<void> {
    const controller = new AbortController();
    this._ask = ask;
    this._asking = controller;
    this._set({ loading: true, error: undefined });
    try {
      const table = await this._fetch({ ...ask, offset: 0, limit: PAGE }, controller.signal);
      if (controller.signal.aborted) {
        return;
      }
      if (table.fault !== '') {
        this._set({ loading: false, fault: table.fault });
        return;
      }
      this._shown?.controller.abort();
      const before = this._shown;
      const shown = new Shown(ask);
      shown.put('', 0, table);
      this._shown = shown;
      if (before?.question === shown.question) {
        // The same lines with other columns: they stay where they are.
        before.open.forEach((_, key) => shown.unfold(key));
      } else {
        this._view = [0, 0];
      }
      this._emit({ loading: false, fault: '', error: undefined });
      this._fill();
    } catch (error) {
      if (!controller.signal.aborted) {
        this._set({ loading: false, error: asPerijoveError(error) });
      }
    } finally {
      if (this._asking === controller) {
        this._asking = null;
      }
    }
  }

  /** Ask for the pages in view that are missing, or old. */
  private _fill(): void {
    const shown = this._shown;
    if (shown === null) {
      return;
    }
    const wanted = shown.pages(...this._view);
    if (shown.stale) {
      shown.stale = false;
      shown.forget(wanted);
      for (const { list, page } of wanted) {
        this._load(shown, list, page);
      }
      return;
    }
    for (const { list, page } of wanted) {
      if (!shown.has(list, page)) {
        this._load(shown, list, page);
      }
    }
  }

  private _load(shown: Shown, list: string, page: number): void {
    const id = `${list} ${page}`;
    if (shown.pending.has(id)) {
      return;
    }
    shown.pending.add(id);
    const { signal } = shown.controller;
    this._fetch(shown.request(list, page), signal)
      .then(table => {
        if (signal.aborted) {
          return;
        }
        shown.pending.delete(id);
        shown.put(list, page, table);
        this._emit({ error: undefined });
        this._fill();
      })
      .catch((error: unknown) => {
        if (!signal.aborted) {
          shown.pending.delete(id);
          this._set({ error: asPerijoveError(error) });
        }
      });
  }

  private _emit(change: Partial<TableSnapshot> = {}): void {
    const shown = this._shown;
    if (shown === null) {
      return;
    }
    this._set({
      ...change,
      table: shown.table,
      columns: shown.ask.columns ?? [],
      grouped: shown.grouped,
      lines: shown.lines,
      line: index => shown.line(index),
      version: this._snapshot.version + 1,
      question: shown.question
    });
  }

  private _set(change: Partial<TableSnapshot>): void {
    this._snapshot = { ...this._snapshot, ...change };
    this._notices.forEach(notice => notice());
  }

  private readonly _fetch: FetchTable;
  private readonly _notices = new Set<() => void>();
  private _snapshot: TableSnapshot = {
    table: undefined,
    columns: [],
    grouped: false,
    lines: 0,
    line: () => undefined,
    version: 0,
    question: '',
    loading: true,
    error: undefined,
    fault: ''
  };
  private _ask: Ask | null = null;
  private _asked = '';
  private _asking: AbortController | null = null;
  private _shown: Shown | null = null;
  private _view: [number, number] = [0, 0];
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _again = false;
}
