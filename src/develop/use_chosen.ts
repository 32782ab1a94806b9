import { useCallback, useEffect, useMemo, useRef } from 'react';

import { useKept } from '../kit/kept';
import { useServices } from '../kit/services';
import type { Line } from './lines';
import { isText, list, matching, type RunsLook } from './look';
import type { TableSnapshot } from './pages';
import type { RunSelection } from './selection';

/** Runs that are asked for at once, to choose all. */
const BATCH = 500;
/** More runs than these are not chosen at once, for the actions that are about them. */
const MOST = 10_000;
/** More chosen runs than these are not kept with the page. */
const KEPT = 200;

export interface Chosen {
  ids: readonly string[];
  /** The keys of the lines that are chosen: runs, and groups all of whose runs are. */
  keys: ReadonlySet<string>;
  /** Whether all that match are chosen, some, or none. */
  share: boolean | 'some';
  toggle: (line: Line, range: boolean) => void;
  clear: () => void;
  all: () => Promise<void>;
  /** With the names that the table knows. */
  named: () => { run_id: string; name: string }[];
}

/** The runs that somebody has chosen: their curves are shown, and actions are about them. */
export function useChosen(
  project: string,
  look: RunsLook,
  table: TableSnapshot,
  selection: RunSelection
): Chosen {
  const { client } = useServices();
  const view = look.deleted ? 'deleted' : 'active';
  const [ids, setIds] = useKept<string[]>(
    `chosen ${view} ${project}`,
    [],
    kept => (kept === undefined ? undefined : list(kept, isText)),
    chosen => (chosen.length > KEPT ? [] : chosen)
  );
  const last = useRef<string>();
  const newest = useRef({ ids, table, look });
  useEffect(() => {
    newest.current = { ids, table, look };
  });
  useEffect(() => {
    selection.ids = look.deleted ? [] : ids;
  }, [selection, ids, look.deleted]);
  // A command may have deleted some.
  useEffect(() => {
    const onChanged = (): void => {
      if (selection.ids.length < newest.current.ids.length && !newest.current.look.deleted) {
        setIds([...selection.ids]);
      }
    };
    selection.changed.connect(onChanged);
    return () => {
      selection.changed.disconnect(onChanged);
    };
  }, [selection, setIds]);

  const toggle = useCallback(
    (line: Line, range: boolean) => {
      const { ids: old, table: lines } = newest.current;
      const chosen = new Set(old);
      const targets = range ? linesBetween(lines, last.current, line.key) : [line];
      const runs = targets.flatMap(runsOf);
      const on = range || !runsOf(line).every(id => chosen.has(id));
      for (const id of runs) {
        if (on) {
          chosen.add(id);
        } else {
          chosen.delete(id);
        }
      }
      last.current = line.key;
      newest.current = { ...newest.current, ids: [...chosen] };
      setIds([...chosen]);
    },
    [setIds]
  );
  const clear = useCallback(() => setIds([]), [setIds]);
  const all = useCallback(async () => {
    const request = matching(newest.current.look);
    const found: string[] = [];
    for (let total = 1; found.length < Math.min(total, MOST);) {
      const answer = await client.post('/runs/table', {
        body: { ...request, offset: found.length, limit: BATCH }
      });
      if (answer.rows.length === 0) {
        break;
      }
      total = answer.total;
      found.push(...answer.rows.map(row => row.run_id));
    }
    setIds(found);
  }, [client, setIds]);

  const keys = useMemo(() => {
    const set = new Set(ids);
    if (table.grouped) {
      for (let index = 0; index < table.lines; index += 1) {
        const line = table.line(index);
        if (line?.kind === 'group' && runsOf(line).every(id => set.has(id))) {
          set.add(line.key);
        }
      }
    }
    return set;
  }, [ids, table]);
  const total = table.grouped ? Infinity : (table.table?.total ?? 0);
  const named = (): { run_id: string; name: string }[] => {
    const names = new Map<string, string>();
    for (let index = 0; index < table.lines; index += 1) {
      const line = table.line(index);
      if (line?.kind === 'run') {
        names.set(line.key, line.row.name);
      }
    }
    return ids.map(id => ({ run_id: id, name: names.get(id) ?? id.slice(0, 8) }));
  };
  return {
    ids,
    keys,
    share: ids.length === 0 ? false : ids.length >= total ? true : 'some',
    toggle,
    clear,
    all,
    named
  };
}

function runsOf(line: Line): readonly string[] {
  return line.kind === 'run' ? [line.key] : line.group.run_ids;
}

/** The lines from one to another, as far as they are known. */
function linesBetween(table: TableSnapshot, from: string | undefined, to: string): Line[] {
  const found: Line[] = [];
  let inside = false;
  for (let index = 0; index < table.lines; index += 1) {
    const line = table.line(index);
    const end = line !== undefined && (line.key === from || line.key === to);
    if (line !== undefined && (inside || end)) {
      found.push(line);
    }
    if (end && (inside || from === to || from === undefined)) {
      break;
    }
    inside ||= end;
  }
  return found;
}
