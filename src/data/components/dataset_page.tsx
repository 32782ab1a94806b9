import { useEffect, useState } from 'react';

import type { Dataset } from '../../api';
import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { ErrorView, Loaded } from '../../kit/feedback';
import { bytes, count } from '../../kit/format';
import { PageHeader } from '../../kit/header';
import type { PageArgs, PageProps } from '../../kit/page';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { Tabs } from '../../kit/tabs';
import { Badge, Time } from '../../kit/values';
import { CommandIDs } from '../tokens';
import { datasetState } from '../state';
import { Columns } from './columns';
import { DatasetLineage } from './lineage';
import { Rows } from './rows';
import { RulesTab } from './rules_tab';
import { VersionsTab } from './versions_tab';

export interface DatasetArgs extends PageArgs {
  name: string;
  /** The version to begin with; the newest when left out. */
  version?: number;
}

/** One dataset: its rows, columns, rules and versions, and its place on the chain. */
export default function DatasetPage({ args }: PageProps<DatasetArgs>): JSX.Element {
  const { name } = args;
  // 0 is the newest, whichever that is by then.
  const [version, setVersion] = useState(args.version ?? 0);
  useEffect(() => setVersion(args.version ?? 0), [args]);
  const [tab, setTab] = useState('rows');
  const dataset = useResource(
    ['dataset', name, version],
    ['data'],
    (client, signal) =>
      client.get('/datasets/{name}', { path: { name }, query: { version }, signal }),
    { keep: true }
  );
  return (
    <div className="pj-Dataset pj-PageFill">
      <Loaded resource={dataset}>
        {data => (
          <DatasetView
            dataset={data}
            tab={tab}
            onTab={setTab}
            onVersion={chosen => setVersion(chosen === data.versions ? 0 : chosen)}
          />
        )}
      </Loaded>
    </div>
  );
}

interface DatasetViewProps {
  dataset: Dataset;
  tab: string;
  onTab: (tab: string) => void;
  onVersion: (version: number) => void;
}

function DatasetView(props: DatasetViewProps): JSX.Element {
  const { client, commands, events } = useServices();
  const trans = useTrans();
  const { dataset, tab, onTab, onVersion } = props;
  const { name, facts, version, versions } = dataset;
  const again = useAction(async () => {
    await client.post('/datasets', { body: { path: facts.path, name } });
    events.announce('data');
  });
  const { condition, label } = datasetState(dataset.state, trans);
  const newest = version === versions;
  const changed = newest && dataset.state === 'changed';
  return (
    <>
      <PageHeader
        kind={trans.__('Dataset')}
        title={name}
        state={condition}
        stateLabel={label}
        facts={
          <div className="pj-Facts">
            <span>
              {versions > 1 ? (
                <VersionPicker dataset={dataset} onVersion={onVersion} />
              ) : (
                trans.__('version %1', version)
              )}
            </span>
            <span>{trans._n('%2 row', '%2 rows', facts.rows, count(facts.rows))}</span>
            <span>{trans._n('%1 column', '%1 columns', facts.columns.length)}</span>
            <span title={trans.__('%1 bytes', count(facts.bytes))}>{bytes(facts.bytes)}</span>
            <span>
              {facts.kind === 'curated'
                ? trans.__('curated')
                : facts.kind === 'quarantine'
                  ? trans.__('set aside')
                  : trans.__('registered')}{' '}
              <Time at={dataset.at} />
            </span>
            {dataset.tags.map(tag => (
              <Badge key={tag}>{tag}</Badge>
            ))}
          </div>
        }
        actions={
          <>
            {changed && (
              <Button look="accept" busy={again.busy} onClick={() => void again.run()}>
                {trans.__('Register version %1', versions + 1)}
              </Button>
            )}
            <Button
              look={changed ? 'plain' : 'accept'}
              onClick={() =>
                void commands.execute(CommandIDs.insertSnippet, {
                  name,
                  version: newest ? 0 : version
                })
              }
            >
              {trans.__('Insert load snippet')}
            </Button>
          </>
        }
      />
      {dataset.description !== '' && <p className="pj-Dataset-words">{dataset.description}</p>}
      {again.error !== undefined && <ErrorView error={again.error} compact />}
      {!newest && (
        <p className="pj-Note" role="status">
          {trans.__('This is version %1 of %2.', version, versions)}{' '}
          <Button look="link" onClick={() => onVersion(versions)}>
            {trans.__('Show the newest')}
          </Button>
        </p>
      )}
      {changed && (
        <p className="pj-Note" role="status">
          {trans.__(
            'The file %1 is not as it was when version %2 was registered. Version %2 still shows the old content.',
            facts.path,
            version
          )}
        </p>
      )}
      {newest && dataset.state === 'missing' && (
        <p className="pj-Note" role="status">
          {trans.__(
            'The file %1 is gone. Put it back, or register another file under this name.',
            facts.path
          )}
        </p>
      )}
      <Tabs
        label={trans.__('Parts of the dataset')}
        tabs={[
          { id: 'rows', label: trans.__('Rows') },
          { id: 'columns', label: trans.__('Columns'), count: facts.columns.length },
          { id: 'rules', label: trans.__('Rules'), count: dataset.quality?.rules },
          { id: 'versions', label: trans.__('Versions'), count: versions },
          { id: 'lineage', label: trans.__('Lineage') }
        ]}
        current={tab}
        onChange={onTab}
      >
        <TabContent tab={tab} dataset={dataset} onVersion={onVersion} />
      </Tabs>
    </>
  );
}

function TabContent({ tab, dataset, onVersion }: Omit<DatasetViewProps, 'onTab'>): JSX.Element {
  switch (tab) {
    case 'columns':
      return <Columns dataset={dataset} />;
    case 'rules':
      return <RulesTab dataset={dataset} />;
    case 'versions':
      return <VersionsTab dataset={dataset} onVersion={onVersion} />;
    case 'lineage':
      return <DatasetLineage dataset={dataset} />;
    default:
      return <Rows dataset={dataset} />;
  }
}

function VersionPicker({
  dataset,
  onVersion
}: Pick<DatasetViewProps, 'dataset' | 'onVersion'>): JSX.Element {
  const trans = useTrans();
  const numbers = Array.from({ length: dataset.versions }, (_, index) => dataset.versions - index);
  return (
    <select
      className="pj-VersionPicker"
      aria-label={trans.__('Version')}
      value={dataset.version}
      onChange={event => onVersion(Number(event.target.value))}
    >
      {numbers.map(number => (
        <option key={number} value={number}>
          {number === dataset.versions
            ? trans.__('version %1 (newest)', number)
            : trans.__('version %1', number)}
        </option>
      ))}
    </select>
  );
}
