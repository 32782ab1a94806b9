import { useState } from 'react';

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
import { Time } from '../../kit/values';
import { CommandIDs } from '../tokens';
import { datasetState } from '../state';
import { Columns } from './columns';
import { DatasetLineage } from './lineage';
import { Rows } from './rows';

export interface DatasetArgs extends PageArgs {
  name: string;
}

/** One dataset: its rows, what is declared about its columns, and its place on the chain. */
export default function DatasetPage({ args }: PageProps<DatasetArgs>): JSX.Element {
  const { name } = args;
  const dataset = useResource(['dataset', name], ['data'], (client, signal) =>
    client.get('/datasets/{name}', { path: { name }, signal })
  );
  return (
    <div className="pj-Dataset pj-PageFill">
      <Loaded resource={dataset}>{data => <DatasetView dataset={data} />}</Loaded>
    </div>
  );
}

function DatasetView({ dataset }: { dataset: Dataset }): JSX.Element {
  const { client, commands, events } = useServices();
  const trans = useTrans();
  const [tab, setTab] = useState('rows');
  const { name, facts } = dataset;
  const again = useAction(async () => {
    await client.post('/datasets', {
      body: { path: facts.path, name, target: '', time: '' }
    });
    events.announce('data');
  });
  const { condition, label } = datasetState(dataset.state, trans);
  const changed = dataset.state === 'changed';
  return (
    <>
      <PageHeader
        kind={trans.__('Dataset')}
        title={name}
        state={condition}
        stateLabel={label}
        facts={
          <div className="pj-Facts">
            <span>{trans.__('version %1', dataset.version)}</span>
            <span>{trans._n('%2 row', '%2 rows', facts.rows, count(facts.rows))}</span>
            <span>{trans._n('%1 column', '%1 columns', facts.columns.length)}</span>
            <span title={trans.__('%1 bytes', count(facts.bytes))}>{bytes(facts.bytes)}</span>
            <span>
              {facts.kind === 'curated' ? trans.__('curated') : trans.__('registered')}{' '}
              <Time at={dataset.at} />
            </span>
          </div>
        }
        actions={
          <>
            {changed && (
              <Button look="accept" busy={again.busy} onClick={() => void again.run()}>
                {trans.__('Register version %1', dataset.versions + 1)}
              </Button>
            )}
            <Button
              look={changed ? 'plain' : 'accept'}
              onClick={() => void commands.execute(CommandIDs.insertSnippet, { name })}
            >
              {trans.__('Insert load snippet')}
            </Button>
          </>
        }
      />
      {again.error !== undefined && <ErrorView error={again.error} compact />}
      {changed && (
        <p className="pj-Note" role="status">
          {trans.__(
            'The file %1 is not as it was when version %2 was registered. Version %2 still shows the old content.',
            facts.path,
            dataset.version
          )}
        </p>
      )}
      {dataset.state === 'missing' && (
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
          { id: 'lineage', label: trans.__('Lineage') }
        ]}
        current={tab}
        onChange={setTab}
      >
        {tab === 'rows' ? (
          <Rows dataset={dataset} />
        ) : tab === 'columns' ? (
          <Columns dataset={dataset} />
        ) : (
          <DatasetLineage dataset={dataset} />
        )}
      </Tabs>
    </>
  );
}
