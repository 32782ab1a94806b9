import type { AuditEntry } from '../../api';
import {
  DataTable,
  Ellipsis,
  Empty,
  Loaded,
  StateGlyph,
  Time,
  useOpen,
  useResource,
  useServices,
  useTrans
} from '../../kit';
import type { TableColumn } from '../../kit';

const LIMIT = 1000;

/** Who did what, newest first, and whether the record is whole. */
export function AuditList(): JSX.Element {
  const trans = useTrans();
  const { openers } = useServices();
  const open = useOpen();
  const audit = useResource(
    ['audit'],
    ['problem', 'data', 'develop', 'deploy', 'operate'],
    (client, signal) => client.get('/audit', { query: { limit: LIMIT }, signal })
  );
  const columns: TableColumn<AuditEntry>[] = [
    {
      id: 'at',
      title: trans.__('When'),
      min: 110,
      grow: 0,
      value: row => row.at,
      render: row => <Time at={row.at} />
    },
    { id: 'actor', title: trans.__('Who'), min: 110, grow: 0, value: row => row.actor },
    { id: 'action', title: trans.__('Did'), min: 140, value: row => row.action },
    { id: 'resource', title: trans.__('With'), min: 140, value: row => row.resource },
    {
      id: 'detail',
      title: trans.__('Details'),
      min: 160,
      grow: 2,
      render: row => <Ellipsis text={detailText(row.detail)} />
    }
  ];
  return (
    <Loaded resource={audit}>
      {({ entries, intact, total }) => (
        <>
          <p className="pj-Project-intact">
            <StateGlyph
              state={intact ? 'ok' : 'failed'}
              word
              label={
                intact
                  ? trans.__('Each entry matches its hash')
                  : trans.__('An entry does not match its hash: the ledger was edited by hand')
              }
            />
            {entries.length < total && (
              <span>{trans.__('The newest %1 of %2 entries', entries.length, total)}</span>
            )}
          </p>
          <DataTable
            label={trans.__('Audit')}
            columns={columns}
            rows={entries}
            rowKey={row => String(row.seq)}
            height={16}
            onOpen={row => {
              if (openers.has(row.resource.split(':')[0] ?? '')) {
                open(row.resource);
              }
            }}
            empty={<Empty>{trans.__('Nothing has been done in this project yet.')}</Empty>}
          />
        </>
      )}
    </Loaded>
  );
}

function detailText(detail: AuditEntry['detail']): string {
  return Object.entries(detail)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
