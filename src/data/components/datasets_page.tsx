import { useMemo } from 'react';

import type { Dataset } from '../../api';
import { Button } from '../../kit/button';
import { Empty, Loaded } from '../../kit/feedback';
import { bytes, count } from '../../kit/format';
import { PageHeader } from '../../kit/header';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { DataTable, type TableColumn } from '../../kit/table';
import { Ellipsis, Time } from '../../kit/values';
import { CommandIDs } from '../tokens';
import { datasetState } from '../state';

/** All datasets of the project. */
export default function DatasetsPage(): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const datasets = useResource(['datasets'], ['data'], (client, signal) =>
    client.get('/datasets', { signal })
  );
  const columns = useMemo<TableColumn<Dataset>[]>(
    () => [
      {
        id: 'state',
        title: trans.__('State'),
        value: dataset => dataset.state,
        render: dataset => {
          const { condition, label } = datasetState(dataset.state, trans);
          return <StateGlyph state={condition} label={label} word />;
        },
        min: 136,
        grow: 0
      },
      {
        id: 'name',
        title: trans.__('Dataset'),
        value: dataset => dataset.name,
        render: dataset => <Ellipsis text={dataset.name} className="pj-mod-strong" />,
        min: 120,
        grow: 2
      },
      {
        id: 'version',
        title: trans.__('Version'),
        value: dataset => dataset.version,
        render: dataset => `v${dataset.version}`,
        align: 'end',
        min: 72,
        grow: 0
      },
      {
        id: 'rows',
        title: trans.__('Rows'),
        value: dataset => dataset.facts.rows,
        render: dataset => count(dataset.facts.rows),
        align: 'end',
        min: 104,
        grow: 0
      },
      {
        id: 'columns',
        title: trans.__('Columns'),
        value: dataset => dataset.facts.columns.length,
        align: 'end',
        min: 84,
        grow: 0
      },
      {
        id: 'bytes',
        title: trans.__('Size'),
        value: dataset => dataset.facts.bytes,
        render: dataset => (
          <span title={trans.__('%1 bytes', count(dataset.facts.bytes))}>
            {bytes(dataset.facts.bytes)}
          </span>
        ),
        align: 'end',
        min: 84,
        grow: 0
      },
      {
        id: 'from',
        title: trans.__('Made from'),
        value: dataset => madeFrom(dataset),
        min: 140,
        grow: 3
      },
      {
        id: 'target',
        title: trans.__('Target'),
        value: dataset => dataset.target || null,
        min: 88
      },
      {
        id: 'at',
        title: trans.__('Registered'),
        value: dataset => dataset.at,
        render: dataset => <Time at={dataset.at} />,
        min: 104,
        grow: 0
      }
    ],
    [trans]
  );
  return (
    <div className="pj-Datasets pj-PageFill">
      <PageHeader
        title={trans.__('Data')}
        facts={
          datasets.data !== undefined && (
            <span>{trans._n('%1 dataset', '%1 datasets', datasets.data.items.length)}</span>
          )
        }
        actions={
          <Button onClick={() => void commands.execute(CommandIDs.openSources)}>
            {trans.__('Add data')}
          </Button>
        }
      />
      <Loaded resource={datasets}>
        {({ items }) => (
          <DataTable
            label={trans.__('Datasets')}
            columns={columns}
            rows={items}
            rowKey={dataset => dataset.name}
            onOpen={({ name }) => void commands.execute(CommandIDs.openDataset, { name })}
            sort={{ column: 'at', descending: true }}
            height="fill"
            empty={
              <Empty
                action={
                  <Button look="accept" onClick={() => void commands.execute(CommandIDs.showFiles)}>
                    {trans.__('Show the files')}
                  </Button>
                }
              >
                {trans.__(
                  'No data is registered yet: right-click a CSV, Parquet, JSON or Arrow file in the file browser and choose “Register as dataset”.'
                )}
              </Empty>
            }
          />
        )}
      </Loaded>
    </div>
  );
}

function madeFrom({ facts }: Dataset): string {
  return facts.inputs.length === 0
    ? facts.path
    : facts.inputs.map(input => input.replace(/^data:/, '').replace('@', ' v')).join(', ');
}
