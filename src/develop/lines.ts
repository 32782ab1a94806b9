import type { Request, RunGroup, RunRow, RunTable } from '../api';

export type Ask = Omit<Request<'RunsRequest'>, 'offset' | 'limit' | 'group'>;

/** A line of the table: a run, or what runs have in common. */
export type Line =
  | { kind: 'run'; key: string; row: RunRow; inGroup: boolean }
  | { kind: 'group'; key: string; group: RunGroup; open: boolean };

/** Runs that are asked for at once. */
export const PAGE = 100;
interface Opened {
  group: RunGroup;
  runs: (RunRow | undefined)[];
}

/** The lines that answer one question, as far as they are known. */
export class Shown {
  constructor(readonly ask: Ask) {
    this.grouped = (ask.group_by ?? '') !== '';
    this.question = JSON.stringify({ ...ask, columns: [] });
  }

  /** What was asked, whatever is shown of it. */
  readonly question: string;
  readonly grouped: boolean;
  readonly open = new Map<string, Opened>();
  readonly pending = new Set<string>();
  controller = new AbortController();
  /** Whether what is known is old. */
  stale = false;
  table: RunTable | undefined;
  runs: (RunRow | undefined)[] = [];
  groups: (RunGroup | undefined)[] = [];

  get lines(): number {
    if (!this.grouped) {
      return this.runs.length;
    }
    return this._opened().reduce((sum, { runs }) => sum + runs.length, this.groups.length);
  }

  line(index: number): Line | undefined {
    const place = this._place(index);
    if (place.list === '' && this.grouped) {
      const group = this.groups[place.index];
      return (
        group && { kind: 'group', key: keyOf(group), group, open: this.open.has(keyOf(group)) }
      );
    }
    const row = (place.list === '' ? this.runs : this.open.get(place.list)?.runs)?.[place.index];
    return row && { kind: 'run', key: row.run_id, row, inGroup: place.list !== '' };
  }

  /** Open a group that is known. */
  unfold(key: string): void {
    const group = this.groups.find(one => one !== undefined && keyOf(one) === key);
    if (group !== undefined) {
      this.open.set(key, { group, runs: new Array<RunRow | undefined>(group.runs) });
      this._order = null;
    }
  }

  patch(ids: ReadonlySet<string>, change: Partial<RunRow>): void {
    for (const rows of [this.runs, ...[...this.open.values()].map(({ runs }) => runs)]) {
      rows.forEach((row, index) => {
        if (row !== undefined && ids.has(row.run_id)) {
          rows[index] = { ...row, ...change };
        }
      });
    }
  }

  /** The pages that hold these lines. */
  pages(first: number, last: number): { list: string; page: number }[] {
    const found = new Map<string, { list: string; page: number }>();
    for (let index = first; index < Math.min(Math.max(last, first + 1), this.lines); index += 1) {
      const place = this._place(index);
      const page = Math.floor(place.index / PAGE);
      found.set(`${place.list} ${page}`, { list: place.list, page });
    }
    return [...found.values()];
  }

  has(list: string, page: number): boolean {
    const lines = this._list(list);
    const from = page * PAGE;
    return lines === undefined || lines[from] !== undefined;
  }

  request(list: string, page: number): Request<'RunsRequest'> {
    const at = { offset: page * PAGE, limit: PAGE };
    if (list === '') {
      return { ...this.ask, ...at };
    }
    const by = this.ask.group_by ?? '';
    const value = this.open.get(list)?.group.value ?? null;
    if (value !== null) {
      return { ...this.ask, ...at, group: value };
    }
    // Those without a value are no group that could be named.
    const missing = { type: 'missing', column: by } as const;
    const { filter } = this.ask;
    return {
      ...this.ask,
      ...at,
      group_by: '',
      filter: filter == null ? missing : { type: 'all', of: [filter, missing] }
    };
  }

  put(list: string, page: number, table: RunTable): void {
    const from = page * PAGE;
    if (list === '') {
      this.table = table;
      this.runs.length = this.grouped ? 0 : table.total;
      this.groups.length = this.grouped ? table.total : 0;
      table.rows.forEach((row, index) => (this.runs[from + index] = row));
      table.groups.forEach((group, index) => (this.groups[from + index] = group));
      for (const group of table.groups) {
        const opened = this.open.get(keyOf(group));
        if (opened !== undefined) {
          opened.group = group;
        }
      }
      this._order = null;
      return;
    }
    const opened = this.open.get(list);
    if (opened !== undefined) {
      opened.runs.length = table.total;
      table.rows.forEach((row, index) => (opened.runs[from + index] = row));
      this._order = null;
    }
  }

  /** Forget all runs but those of these pages. Groups stay, for those that are open lie in them. */
  forget(but: readonly { list: string; page: number }[]): void {
    const kept = new Set(but.map(({ list, page }) => `${list} ${page}`));
    for (const [list, lines] of [
      ['', this.runs] as const,
      ...[...this.open].map(([key, { runs }]) => [key, runs] as const)
    ]) {
      for (let index = 0; index < lines.length; index += 1) {
        if (!kept.has(`${list} ${Math.floor(index / PAGE)}`)) {
          lines[index] = undefined;
        }
      }
    }
  }

  private _list(list: string): readonly unknown[] | undefined {
    return list === '' ? (this.grouped ? this.groups : this.runs) : this.open.get(list)?.runs;
  }

  /** The groups that are open, in their order. */
  private _opened(): readonly { key: string; at: number; runs: readonly unknown[] }[] {
    if (this._order === null || this._order.length !== this.open.size) {
      const places = new Map<string, number>();
      this.groups.forEach((group, index) => {
        if (group !== undefined) {
          places.set(keyOf(group), index);
        }
      });
      for (const key of [...this.open.keys()].filter(one => !places.has(one))) {
        this.open.delete(key);
      }
      this._order = [...this.open]
        .map(([key, { runs }]) => ({ key, at: places.get(key)!, runs }))
        .sort((a, b) => a.at - b.at);
    }
    return this._order;
  }

  /** Which list a line is of, and where in it. */
  private _place(index: number): { list: string; index: number } {
    if (!this.grouped) {
      return { list: '', index };
    }
    let rest = index;
    for (const { key, at, runs } of this._opened()) {
      if (rest <= at) {
        break;
      }
      if (rest <= at + runs.length) {
        return { list: key, index: rest - at - 1 };
      }
      rest -= runs.length;
    }
    return { list: '', index: rest };
  }

  private _order: { key: string; at: number; runs: readonly unknown[] }[] | null = null;
}

/** What a group is known by among the lines. */
export function keyOf(group: Pick<RunGroup, 'value'>): string {
  return group.value === null ? 'group' : `group ${group.value}`;
}
