import { useEffect, useMemo, useState } from 'react';

import {
  asPerijoveError,
  isAbort,
  type Artifact,
  type ArtifactPreview,
  type Client,
  type PerijoveError,
  type Run
} from '../../../api';
import { CommandIDs as DeployIDs } from '../../../deploy/tokens';
import { useAction } from '../../../kit/action';
import { Button } from '../../../kit/button';
import { Empty, ErrorView, Loaded, Skeleton } from '../../../kit/feedback';
import { bytes, count } from '../../../kit/format';
import { Markdown } from '../../../kit/markup';
import { RefLink } from '../../../kit/ref';
import { useResource } from '../../../kit/resource';
import { useServices, useTrans } from '../../../kit/services';
import { DataTable, type TableColumn } from '../../../kit/table';
import { VegaPlot, type VegaSpec } from '../../../kit/vega';
import { baseName, imageType, prettyJson, readObject } from '../../artifacts';

/** A picture larger than this is not fetched to be shown, in bytes. */
const LARGEST = 32 * 1024 * 1024;

/** One artifact as well as it can be shown. */
export function ArtifactView({ run, artifact }: { run: Run; artifact: Artifact }): JSX.Element {
  const { client } = useServices();
  const trans = useTrans();
  const runId = run.summary.run_id;
  const { path } = artifact;
  const isModel = artifact.kind === 'model';
  // What MLflow says of a model is in a file of its folder.
  const file = isModel && artifact.folder ? `${path}/MLmodel` : path;
  const preview = useResource(['artifact', runId, file, artifact.bytes], [], (client_, signal) =>
    client_.get('/runs/{run_id}/artifacts/preview', {
      path: { run_id: runId },
      query: { path: file },
      signal
    })
  );
  const download = useAction(async () => {
    save(new Blob([await contentOf(client, runId, path)]), baseName(path));
  });
  return (
    <>
      <header className="pj-Artifacts-head">
        <span className="pj-mod-strong pj-Ellipsis" title={path}>
          {path}
        </span>
        {artifact.bytes !== null && <span className="pj-mod-quiet">{bytes(artifact.bytes)}</span>}
        {!artifact.folder && (
          <Button look="link" busy={download.busy} onClick={() => void download.run()}>
            {trans.__('Download')}
          </Button>
        )}
      </header>
      {download.error !== undefined && <ErrorView error={download.error} compact />}
      <Loaded resource={preview}>
        {data => (
          <>
            {data.cut && (
              <p className="pj-mod-quiet pj-Run-line">
                {data.total_rows === null
                  ? trans.__('Only its beginning is shown.')
                  : trans.__(
                      'The first %1 of %2 rows are shown.',
                      count(data.rows.length),
                      count(data.total_rows)
                    )}
              </p>
            )}
            {isModel ? (
              <Model run={run} path={path} text={data.text} />
            ) : (
              <Content run={run} preview={data} />
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Content({ run, preview }: { run: Run; preview: ArtifactPreview }): JSX.Element {
  const trans = useTrans();
  const { text, path } = preview;
  switch (preview.kind) {
    case 'image':
      return <Picture runId={run.summary.run_id} path={path} size={preview.bytes} />;
    case 'table':
      return <Rows preview={preview} />;
    case 'plot':
      return <PlotView preview={preview} />;
    case 'markdown':
      return <Markdown text={text} />;
    case 'json':
      return <Text text={prettyJson(text)} label={path} />;
    case 'text':
      return <Text text={text} label={path} />;
    case 'model':
      return <Model run={run} path={path} text={text} />;
    case 'folder':
      return <Empty>{trans.__('Choose a file of this folder to look at it.')}</Empty>;
    case 'binary':
      return <Empty>{trans.__('This file cannot be shown here. It can be downloaded.')}</Empty>;
  }
}

function Text({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    <pre className="pj-Code pj-Artifacts-text" tabIndex={0} aria-label={label}>
      {text}
    </pre>
  );
}

function PlotView({ preview }: { preview: ArtifactPreview }): JSX.Element {
  const { text, path } = preview;
  const spec = useMemo(() => readObject(text), [text]);
  return spec === null ? (
    <Text text={text} label={path} />
  ) : (
    <VegaPlot label={path} spec={spec as unknown as VegaSpec} />
  );
}

function Rows({ preview }: { preview: ArtifactPreview }): JSX.Element {
  const columns = preview.columns.map<TableColumn<IndexedRow>>((title, index) => {
    const numbers = preview.rows.every(row => isNumber(row[index] ?? ''));
    return {
      id: String(index),
      title,
      min: 96,
      align: numbers ? 'end' : 'start',
      value: ({ row }) => {
        const value = row[index] ?? '';
        return numbers ? (value === '' ? null : Number(value)) : value;
      },
      render: ({ row }) => (
        <span className="pj-Ellipsis" title={row[index]}>
          {row[index]}
        </span>
      )
    };
  });
  const rows = useMemo(() => preview.rows.map((row, index) => ({ row, index })), [preview.rows]);
  return (
    <div className="pj-Artifacts-table">
      <DataTable
        label={preview.path}
        columns={columns}
        rows={rows}
        rowKey={({ index }) => String(index)}
        height="fill"
      />
    </div>
  );
}

interface IndexedRow {
  row: string[];
  index: number;
}

function isNumber(text: string): boolean {
  return text === '' || !Number.isNaN(Number(text));
}

function Picture(props: { runId: string; path: string; size: number }): JSX.Element {
  const { runId, path, size } = props;
  const { client } = useServices();
  const trans = useTrans();
  const [url, setUrl] = useState<string>();
  const [error, setError] = useState<PerijoveError>();
  const [attempt, setAttempt] = useState(0);
  const shown = size <= LARGEST;
  useEffect(() => {
    if (!shown) {
      return;
    }
    const leave = new AbortController();
    let made: string | undefined;
    contentOf(client, runId, path, leave.signal)
      .then(content => {
        made = URL.createObjectURL(new Blob([content], { type: imageType(path) }));
        setUrl(made);
      })
      .catch((failure: unknown) => {
        if (!isAbort(failure)) {
          setError(asPerijoveError(failure));
        }
      });
    return () => {
      leave.abort();
      if (made !== undefined) {
        URL.revokeObjectURL(made);
      }
    };
  }, [client, runId, path, shown, attempt]);
  if (!shown) {
    return (
      <Empty>{trans.__('This picture is too large to be shown. It can be downloaded.')}</Empty>
    );
  }
  if (error !== undefined) {
    return (
      <ErrorView
        error={error}
        retry={() => {
          setError(undefined);
          setAttempt(attempt + 1);
        }}
      />
    );
  }
  return url === undefined ? (
    <Skeleton lines={6} />
  ) : (
    <img className="pj-Artifacts-image" src={url} alt={baseName(path)} />
  );
}

/** A logged model: what MLflow says of it, and its way onto the chain. */
function Model(props: { run: Run; path: string; text: string }): JSX.Element {
  const { run, path, text } = props;
  const { commands } = useServices();
  const trans = useTrans();
  const { models, run_id: runId, name } = run.summary;
  return (
    <>
      <div className="pj-Artifacts-model">
        {models.length > 0 ? (
          <span>
            {trans.__('registered as')}{' '}
            {models.map(ref => (
              <RefLink key={ref} of={ref} />
            ))}
          </span>
        ) : (
          <>
            <span>
              {trans.__('This model is not registered: it can be neither measured nor deployed.')}
            </span>
            <Button
              look="accept"
              onClick={() =>
                void commands.execute(DeployIDs.registerModel, {
                  run_id: runId,
                  path,
                  name
                })
              }
            >
              {trans.__('Register model')}
            </Button>
          </>
        )}
      </div>
      {text !== '' && <Text text={text} label={path} />}
    </>
  );
}

function contentOf(
  client: Client,
  runId: string,
  path: string,
  signal?: AbortSignal
): Promise<ArrayBuffer> {
  return client.bytes('/runs/{run_id}/artifacts/content', {
    path: { run_id: runId },
    query: { path },
    ...(signal !== undefined && { signal })
  });
}

/** Have the browser keep a file. */
function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
