import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';

import type { Artifact, Run } from '../../../api';
import { classes } from '../../../kit/classes';
import { Empty, ErrorView, Loaded, Skeleton } from '../../../kit/feedback';
import { bytes } from '../../../kit/format';
import { useKept } from '../../../kit/kept';
import { useResource, type Resource } from '../../../kit/resource';
import { useTrans } from '../../../kit/services';
import { ArtifactView } from './artifact_view';

/** What a run left: a tree at the left, and what is chosen in it at the right. */
export function ArtifactsTab({ run }: { run: Run }): JSX.Element {
  const trans = useTrans();
  const runId = run.summary.run_id;
  const [chosen, setChosen] = useState<Artifact>();
  const [path, setPath] = useKept<string>('artifact', '', kept =>
    typeof kept === 'string' ? kept : undefined
  );
  const root = useFolder(runId, '');
  const choose = (artifact: Artifact): void => {
    setChosen(artifact);
    setPath(artifact.path);
  };
  // What was looked at before, else the first file that there is.
  const items = root.data?.items;
  useEffect(() => {
    if (chosen === undefined && items !== undefined) {
      setChosen(items.find(one => one.path === path) ?? items.find(one => !one.folder));
    }
  }, [chosen, items, path]);
  return (
    <Loaded resource={root}>
      {({ items: found, place }) =>
        found.length === 0 ? (
          <Empty>
            {trans.__(
              'This run left no file. mlflow.log_artifact("plot.png") keeps one, pj.log_model(model) a model.'
            )}
          </Empty>
        ) : (
          <div className="pj-Artifacts">
            <div className="pj-Artifacts-side">
              <Tree runId={runId} items={found} chosen={chosen?.path ?? ''} onChoose={choose} />
              {place !== '' && (
                <p className="pj-mod-quiet pj-Artifacts-place" title={place}>
                  {place}
                </p>
              )}
            </div>
            <div className="pj-Artifacts-view">
              {chosen === undefined ? (
                <Empty>{trans.__('Choose a file to look at it.')}</Empty>
              ) : (
                <ArtifactView key={chosen.path} run={run} artifact={chosen} />
              )}
            </div>
          </div>
        )
      }
    </Loaded>
  );
}

function useFolder(runId: string, path: string): Resource<{ items: Artifact[]; place: string }> {
  return useResource(['artifacts', runId, path], ['develop'], (client, signal) =>
    client.get('/runs/{run_id}/artifacts', { path: { run_id: runId }, query: { path }, signal })
  );
}

interface TreeProps {
  runId: string;
  items: readonly Artifact[];
  chosen: string;
  onChoose: (artifact: Artifact) => void;
}

function Tree({ runId, items, chosen, onChoose }: TreeProps): JSX.Element {
  const trans = useTrans();
  const frame = useRef<HTMLUListElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const rows = [...(frame.current?.querySelectorAll<HTMLElement>('[role=treeitem]') ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const next = {
      ArrowDown: at + 1,
      ArrowUp: Math.max(0, at - 1),
      Home: 0,
      End: rows.length - 1
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      rows[next]?.focus();
    }
  };
  return (
    <ul
      className="pj-Artifacts-tree"
      role="tree"
      aria-label={trans.__('Artifacts')}
      ref={frame}
      onKeyDown={onKeyDown}
    >
      {items.map((artifact, index) => (
        <Row
          key={artifact.path}
          runId={runId}
          artifact={artifact}
          depth={0}
          chosen={chosen}
          first={index === 0}
          onChoose={onChoose}
        />
      ))}
    </ul>
  );
}

interface RowProps {
  runId: string;
  artifact: Artifact;
  depth: number;
  chosen: string;
  /** Has the place in the order of the Tab key while nothing is chosen. */
  first: boolean;
  onChoose: (artifact: Artifact) => void;
}

function Row(props: RowProps): JSX.Element {
  const { artifact, depth, chosen, first, onChoose } = props;
  const { path, name, folder } = artifact;
  // A folder on the way to what is chosen is open.
  const [open, setOpen] = useState(folder && chosen.startsWith(`${path}/`));
  const current = path === chosen;
  const Caret = open ? caretDownIcon : caretRightIcon;
  const act = (): void => {
    if (folder) {
      setOpen(!open);
    }
    if (!folder || artifact.kind === 'model') {
      onChoose(artifact);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) {
      return;
    }
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      act();
    } else if (folder && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      event.preventDefault();
      setOpen(event.key === 'ArrowRight');
    }
  };
  return (
    <>
      <li
        role="treeitem"
        className={classes('pj-Artifacts-row', current && 'pj-mod-current')}
        aria-level={depth + 1}
        aria-selected={current}
        {...(folder && { 'aria-expanded': open })}
        tabIndex={current || (chosen === '' && first) ? 0 : -1}
        style={{ paddingInlineStart: `${4 + depth * 16}px` }}
        title={path}
        onClick={act}
        onKeyDown={onKeyDown}
      >
        <span className="pj-Artifacts-caret">{folder && <Caret.react tag="span" />}</span>
        <span className="pj-Ellipsis">{name}</span>
        {artifact.bytes !== null && (
          <span className="pj-Artifacts-size">{bytes(artifact.bytes)}</span>
        )}
      </li>
      {folder && open && <Folder {...props} />}
    </>
  );
}

function Folder({ runId, artifact, depth, chosen, onChoose }: RowProps): JSX.Element {
  const trans = useTrans();
  const folder = useFolder(runId, artifact.path);
  if (folder.data === undefined) {
    return (
      <li role="none">
        {folder.error === undefined ? (
          <Skeleton lines={1} />
        ) : (
          <ErrorView error={folder.error} retry={folder.reload} compact />
        )}
      </li>
    );
  }
  if (folder.data.items.length === 0) {
    return (
      <li role="none" className="pj-mod-quiet pj-Artifacts-empty">
        {trans.__('empty')}
      </li>
    );
  }
  return (
    <>
      {folder.data.items.map(one => (
        <Row
          key={one.path}
          runId={runId}
          artifact={one}
          depth={depth + 1}
          chosen={chosen}
          first={false}
          onChoose={onChoose}
        />
      ))}
    </>
  );
}
