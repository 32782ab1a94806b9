import { Clipboard } from '@jupyterlab/apputils';
import type { KeyboardEvent, MouseEvent } from 'react';
import { useMemo, useRef, useState } from 'react';

import type { Dataset } from '../../api';
import { Button } from '../../kit/button';
import { classes } from '../../kit/classes';
import { Empty, Loaded } from '../../kit/feedback';
import { count } from '../../kit/format';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { openMenu } from '../rows/menu';
import { datasetState } from '../state';
import { CommandIDs } from '../tokens';
import { MOST, placesOf, tagsOf } from '../tree';

/** One line of the tree. */
interface Line {
  id: string;
  level: 1 | 2 | 3;
  label: string;
  detail: string;
  /** Undefined for what cannot be unfolded. */
  expanded?: boolean;
  dataset?: Dataset;
  version?: number;
}

/** The datasets by where they come from, and their versions; in the sidebar. */
export default function DatasetTree(): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const [text, setText] = useState('');
  const [tag, setTag] = useState('');
  const datasets = useResource(['datasets'], ['data'], (client, signal) =>
    client.get('/datasets', { signal })
  );
  return (
    <div className="pj-Tree">
      <input
        type="search"
        className="jp-mod-styled pj-Input"
        placeholder={trans.__('Search datasets and columns')}
        aria-label={trans.__('Search datasets and columns')}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <Loaded resource={datasets}>
        {({ items }) => (
          <>
            <Tags tags={tagsOf(items)} chosen={tag} onChange={setTag} />
            {items.length === 0 ? (
              <Empty
                action={
                  <Button onClick={() => void commands.execute(CommandIDs.openSources)}>
                    {trans.__('Add data')}
                  </Button>
                }
              >
                {trans.__('No dataset yet.')}
              </Empty>
            ) : (
              <Lines datasets={items} text={text} tag={tag} />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function Tags(props: {
  tags: readonly string[];
  chosen: string;
  onChange: (tag: string) => void;
}): JSX.Element | null {
  const trans = useTrans();
  const { tags, chosen, onChange } = props;
  return tags.length === 0 ? null : (
    <div className="pj-Tree-tags" role="group" aria-label={trans.__('Tags')}>
      {tags.slice(0, 12).map(tag => (
        <button
          key={tag}
          type="button"
          className={classes('pj-Tag', tag === chosen && 'pj-mod-current')}
          aria-pressed={tag === chosen}
          onClick={() => onChange(tag === chosen ? '' : tag)}
        >
          {tag}
        </button>
      ))}
    </div>
  );
}

function Lines(props: { datasets: readonly Dataset[]; text: string; tag: string }): JSX.Element {
  const { datasets, text, tag } = props;
  const { commands } = useServices();
  const trans = useTrans();
  const tree = useRef<HTMLUListElement>(null);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState('');
  const places = useMemo(() => placesOf(datasets, text, tag), [datasets, text, tag]);
  const found = places.reduce((sum, place) => sum + place.datasets.length, 0);
  const lines: Line[] = [];
  let shown = 0;
  for (const { location, datasets: here } of places) {
    const open = !folded.has(location);
    lines.push({
      id: `place ${location}`,
      level: 1,
      label:
        location === ''
          ? trans.__('curated')
          : location === '.'
            ? trans.__('project folder')
            : location,
      detail: count(here.length),
      expanded: open
    });
    for (const dataset of open ? here.slice(0, Math.max(0, MOST - shown)) : []) {
      shown++;
      const versions = unfolded.has(dataset.name);
      lines.push({
        id: dataset.name,
        level: 2,
        label: dataset.name,
        detail: `v${dataset.version}`,
        expanded: versions,
        dataset
      });
      for (let version = dataset.versions; versions && version > 0; version--) {
        lines.push({
          id: `${dataset.name}@${version}`,
          level: 3,
          label: trans.__('version %1', version),
          detail: '',
          dataset,
          version
        });
      }
    }
  }
  const turn = (line: Line): void => {
    const flip = (set: ReadonlySet<string>, id: string): ReadonlySet<string> => {
      const next = new Set(set);
      return next.delete(id) ? next : next.add(id);
    };
    if (line.level === 1) {
      setFolded(flip(folded, line.id.slice('place '.length)));
    } else if (line.dataset !== undefined) {
      setUnfolded(flip(unfolded, line.dataset.name));
    }
  };
  const open = (line: Line): void => {
    if (line.dataset === undefined) {
      turn(line);
      return;
    }
    void commands.execute(CommandIDs.openDataset, {
      name: line.dataset.name,
      ...(line.version !== undefined && { version: line.version })
    });
  };
  const at = Math.max(
    0,
    lines.findIndex(line => line.id === current)
  );
  const go = (index: number): void => {
    const line = lines[Math.max(0, Math.min(lines.length - 1, index))];
    if (line !== undefined) {
      setCurrent(line.id);
      tree.current?.querySelectorAll<HTMLElement>('[role=treeitem]')[lines.indexOf(line)]?.focus();
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const line = lines[at];
    if (line === undefined) {
      return;
    }
    const rtl = getComputedStyle(event.currentTarget).direction === 'rtl';
    const [into, out] = rtl ? ['ArrowLeft', 'ArrowRight'] : ['ArrowRight', 'ArrowLeft'];
    switch (event.key) {
      case 'ArrowDown':
        go(at + 1);
        break;
      case 'ArrowUp':
        go(at - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(lines.length - 1);
        break;
      case 'Enter':
        open(line);
        break;
      case into:
        if (line.expanded === false) {
          turn(line);
        } else {
          go(at + 1);
        }
        break;
      case out:
        if (line.expanded === true) {
          turn(line);
        } else {
          go(at - [...lines.slice(0, at)].reverse().findIndex(o => o.level < line.level) - 1);
        }
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const menu = (event: MouseEvent, { dataset, version }: Line): void => {
    if (dataset === undefined) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const { name } = dataset;
    const ref = `data:${name}@${version ?? dataset.version}`;
    openMenu(
      [
        {
          label: trans.__('Open %1', name),
          act: () =>
            void commands.execute(CommandIDs.openDataset, {
              name,
              ...(version !== undefined && { version })
            })
        },
        {
          label: trans.__('Insert Load Snippet'),
          act: () => void commands.execute(CommandIDs.insertSnippet, { name })
        },
        { label: trans.__('Copy Reference'), act: () => Clipboard.copyToSystem(ref) }
      ],
      event.clientX,
      event.clientY
    );
  };
  if (lines.length === 0) {
    return <p className="pj-mod-quiet pj-Tree-none">{trans.__('No dataset matches.')}</p>;
  }
  return (
    <>
      <ul
        ref={tree}
        role="tree"
        className="pj-Tree-list"
        aria-label={trans.__('Datasets')}
        onKeyDown={onKeyDown}
      >
        {lines.map((line, index) => {
          const state =
            line.level === 2 && line.dataset !== undefined && line.dataset.state !== 'current'
              ? datasetState(line.dataset.state, trans)
              : undefined;
          return (
            <li
              key={line.id}
              role="treeitem"
              aria-level={line.level}
              aria-expanded={line.expanded}
              tabIndex={index === at ? 0 : -1}
              className={`pj-Tree-line pj-mod-level${line.level}`}
              title={line.dataset?.description || line.label}
              onFocus={() => setCurrent(line.id)}
              onClick={() => open(line)}
              onContextMenu={event => menu(event, line)}
            >
              <span
                className="pj-Tree-twisty"
                aria-hidden="true"
                onClick={event => {
                  event.stopPropagation();
                  turn(line);
                }}
              >
                {line.expanded === undefined ? '' : line.expanded ? '▾' : '▸'}
              </span>
              {state !== undefined && <StateGlyph state={state.condition} label={state.label} />}
              <span className="pj-Ellipsis">{line.label}</span>
              <span className="pj-Tree-detail">{line.detail}</span>
            </li>
          );
        })}
      </ul>
      {found > MOST && (
        <p className="pj-mod-quiet pj-Tree-none">
          {trans.__('%1 of %2 are listed: type a part of a name.', count(MOST), count(found))}
        </p>
      )}
    </>
  );
}
