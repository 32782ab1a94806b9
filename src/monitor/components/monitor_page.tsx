import type { Endpoint } from '../../api';
import {
  Button,
  Empty,
  Loaded,
  PageHeader,
  StateGlyph,
  count,
  duration,
  figure,
  full,
  percent,
  useOpen,
  useResource,
  useServices,
  useTrans
} from '../../kit';
import { byDrift, driftState, driftWord, errorRate, health } from '../report';
import { useReport } from './report_tab';

/** How every endpoint of the project does. */
export default function MonitorPage(): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const endpoints = useResource(['endpoints'], ['deploy'], (client, signal) =>
    client.get('/endpoints', { signal })
  );
  return (
    <>
      <PageHeader title={trans.__('Monitor')} />
      <Loaded resource={endpoints}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              action={
                <Button
                  look="accept"
                  onClick={() => void commands.execute('perijove:deploy-model')}
                >
                  {trans.__('Deploy model')}
                </Button>
              }
            >
              {trans.__('There is no endpoint to watch yet.')}
            </Empty>
          ) : (
            <table className="pj-Monitor-health" aria-label={trans.__('Health of the endpoints')}>
              <thead>
                <tr>
                  <th scope="col">{trans.__('Endpoint')}</th>
                  <th scope="col">{trans.__('Health')}</th>
                  <th scope="col" className="pj-mod-end">
                    {trans.__('Requests, last hour')}
                  </th>
                  <th scope="col" className="pj-mod-end">
                    {trans.__('p95')}
                  </th>
                  <th scope="col" className="pj-mod-end">
                    {trans.__('Errors')}
                  </th>
                  <th scope="col">{trans.__('Worst drift')}</th>
                  <th scope="col">{trans.__('Live KPI')}</th>
                </tr>
              </thead>
              <tbody>
                {items.map(endpoint => (
                  <HealthRow key={endpoint.name} endpoint={endpoint} />
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </>
  );
}

function HealthRow({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const trans = useTrans();
  const { data, error } = useReport(endpoint.name);
  const openRef = useOpen();
  const open = (): void => openRef(`endpoint:${endpoint.name}`);
  const name = (
    <th scope="row">
      <button type="button" className="pj-Link" title={endpoint.name} onClick={open}>
        {endpoint.name}
      </button>
    </th>
  );
  if (data === undefined) {
    return (
      <tr>
        {name}
        <td colSpan={6} className="pj-Monitor-muted">
          {error === undefined ? trans.__('…') : error.message}
        </td>
      </tr>
    );
  }
  const worst = byDrift(data.drift)[0];
  const kpi = [...data.kpis].sort(
    (a, b) => KPI_ORDER.indexOf(a.state) - KPI_ORDER.indexOf(b.state)
  )[0];
  const rate = errorRate(data);
  const down = endpoint.state !== 'serving';
  return (
    <tr onClick={event => event.target instanceof HTMLTableCellElement && open()}>
      {name}
      <td>
        {down ? (
          <StateGlyph state={endpoint.state} word />
        ) : (
          <StateGlyph
            state={health(data)}
            word
            label={data.requests === 0 ? trans.__('no requests yet') : undefined}
          />
        )}
      </td>
      <td className="pj-mod-end">{count(data.requests)}</td>
      <td className="pj-mod-end" title={full(data.p95)}>
        {duration(data.p95)}
      </td>
      <td className="pj-mod-end">{percent(rate, rate === 0 ? 0 : 1)}</td>
      <td title={worst?.feature}>
        {worst === undefined ? (
          <StateGlyph state="unknown" word label={trans.__('not measured')} />
        ) : (
          <span className="pj-Monitor-cell">
            <StateGlyph state={driftState(worst.state)} word label={driftWord(worst, trans)} />
            {worst.psi !== null && (
              <span className="pj-Monitor-muted">
                {worst.feature} {figure(worst.psi)}
              </span>
            )}
          </span>
        )}
      </td>
      <td title={kpi?.detail}>
        {kpi === undefined ? (
          <StateGlyph state="unmeasured" word />
        ) : (
          <span className="pj-Monitor-cell">
            <StateGlyph state={kpi.state} word />
            <span className="pj-Monitor-muted">
              {kpi.metric} {kpi.value !== null && figure(kpi.value)}
            </span>
          </span>
        )}
      </td>
    </tr>
  );
}

const KPI_ORDER = ['missed', 'met', 'unmeasured'];
