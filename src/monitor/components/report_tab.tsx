import { useMemo } from 'react';

import type { Finding, Endpoint, LiveKpi, MonitorReport, PredictionRecord } from '../../api';
import {
  Button,
  Chart,
  DataTable,
  Ellipsis,
  Empty,
  Loaded,
  PALETTE,
  Section,
  StateGlyph,
  Time,
  count,
  duration,
  figure,
  full,
  percent,
  useResource,
  useTrans,
  type ChartSeries,
  type Resource,
  type TableColumn
} from '../../kit';
import { errorRate, lineOf, type Measure } from '../report';
import { DriftTable } from './drift';

/** While it is on screen the report is asked for this often, in milliseconds. */
const REFRESH = 5000;
/** The time that the charts show, in minutes. */
const MINUTES = 60;
const CHART_HEIGHT = 132;

/** The report of an endpoint, fresh while somebody looks. */
export function useReport(name: string, minutes = MINUTES): Resource<MonitorReport> {
  return useResource(
    ['monitor', name, minutes],
    ['monitor', 'deploy'],
    (client, signal) =>
      client.get('/endpoints/{name}/monitor', { path: { name }, query: { minutes }, signal }),
    { every: REFRESH }
  );
}

export interface ReportTabProps {
  endpoint: Endpoint;
  /** Shows the form that sends a request. */
  onTry: () => void;
}

/** What an endpoint does, and how far its inputs are from its training data. */
export default function ReportTab({ endpoint, onTry }: ReportTabProps): JSX.Element {
  const trans = useTrans();
  const resource = useReport(endpoint.name);
  return (
    <Loaded resource={resource}>
      {report =>
        report.requests === 0 && report.recent.length === 0 ? (
          <>
            <Findings findings={report.findings} />
            <Empty
              action={
                <Button look="accept" onClick={onTry}>
                  {trans.__('Try it')}
                </Button>
              }
            >
              {trans.__('No requests yet.')}
            </Empty>
          </>
        ) : (
          <Report report={report} />
        )
      }
    </Loaded>
  );
}

function Report({ report }: { report: MonitorReport }): JSX.Element {
  const trans = useTrans();
  return (
    <>
      <Findings findings={report.findings} />
      <Section title={trans.__('The last %1 minutes', MINUTES)}>
        <Totals report={report} />
        <Charts report={report} />
      </Section>
      {report.kpis.length > 0 && (
        <Section title={trans.__('Live KPI')}>
          <ul className="pj-Monitor-kpis">
            {report.kpis.map(kpi => (
              <Kpi key={kpi.metric} kpi={kpi} />
            ))}
          </ul>
        </Section>
      )}
      <Section title={trans.__('Drift')}>
        {report.drift_detail !== '' && <p className="pj-Monitor-muted">{report.drift_detail}</p>}
        {report.drift.length > 0 && <DriftTable drift={report.drift} />}
      </Section>
      <Section title={trans.__('Recent predictions')}>
        <Predictions records={report.recent} />
      </Section>
    </>
  );
}

export function Findings({ findings }: { findings: readonly Finding[] }): JSX.Element | null {
  const trans = useTrans();
  if (findings.length === 0) {
    return null;
  }
  return (
    <ul className="pj-Monitor-findings" aria-label={trans.__('Alerts')}>
      {findings.map(finding => (
        <li key={finding.id} className={`pj-mod-${finding.severity}`}>
          <StateGlyph state={finding.severity} />
          <div>
            <strong>{finding.title}</strong>
            {finding.detail !== '' && <p>{finding.detail}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Totals({ report }: { report: MonitorReport }): JSX.Element {
  const trans = useTrans();
  const rate = errorRate(report);
  const items: [string, string, string][] = [
    [trans.__('Requests'), count(report.requests), ''],
    [
      trans.__('Errors'),
      count(report.errors),
      rate === null || report.errors === 0 ? '' : percent(rate, 1)
    ],
    [trans.__('p50'), duration(report.p50), full(report.p50)],
    [trans.__('p95'), duration(report.p95), full(report.p95)],
    [trans.__('p99'), duration(report.p99), full(report.p99)]
  ];
  return (
    <dl className="pj-Monitor-totals" aria-label={trans.__('The last %1 minutes', MINUTES)}>
      {items.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd title={note}>
            {value}
            {name === trans.__('Errors') && note !== '' && (
              <span className="pj-Monitor-muted"> {note}</span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Counts have no fractions: an axis that falls between them says nothing there. */
function whole(value: number): string {
  return Number.isInteger(value) ? count(value) : '';
}

function Charts({ report }: { report: MonitorReport }): JSX.Element {
  const trans = useTrans();
  const { minutes } = report;
  const lines = useMemo(() => {
    const line = (measure: Measure, label: string, color: number): ChartSeries => ({
      key: measure,
      label,
      ...lineOf(minutes, measure),
      color: PALETTE[color] ?? ''
    });
    return {
      requests: [line('requests', '', 0)],
      latency: [line('p50', 'p50', 2), line('p95', 'p95', 3), line('p99', 'p99', 4)],
      errors: [line('errors', '', 1)]
    };
  }, [minutes]);
  const range = useMemo((): [number, number] => {
    const last = minutes[minutes.length - 1]?.at ?? Date.now();
    return [Math.min(minutes[0]?.at ?? last, last - 10 * 60_000), last];
  }, [minutes]);
  const common = {
    time: true,
    xRange: range,
    yFrom: 0,
    height: CHART_HEIGHT,
    sync: `monitor-${report.endpoint}`
  } as const;
  return (
    <div className="pj-Monitor-charts">
      <Chart
        title={trans.__('Requests')}
        yLabel={trans.__('per minute')}
        series={lines.requests}
        format={whole}
        {...common}
      />
      <Chart
        title={trans.__('Latency')}
        yLabel={trans.__('ms')}
        series={lines.latency}
        {...common}
      />
      <Chart
        title={trans.__('Errors')}
        yLabel={trans.__('per minute')}
        series={lines.errors}
        format={whole}
        {...common}
      />
    </div>
  );
}

function Kpi({ kpi }: { kpi: LiveKpi }): JSX.Element {
  const trans = useTrans();
  return (
    <li>
      <StateGlyph state={kpi.state} word />
      <span className="pj-Monitor-kpiName" title={kpi.metric}>
        {kpi.metric}
      </span>
      <span className="pj-Monitor-number" title={full(kpi.value)}>
        {figure(kpi.value)}
      </span>
      <span className="pj-Monitor-muted">
        {trans._n('%1 outcome', '%1 outcomes', kpi.outcomes)}
        {' · '}
        {kpi.detail !== ''
          ? kpi.detail
          : kpi.minimum === null
            ? trans.__('no live minimum')
            : trans.__('minimum %1', figure(kpi.minimum))}
      </span>
    </li>
  );
}

function Predictions({ records }: { records: readonly PredictionRecord[] }): JSX.Element {
  const trans = useTrans();
  const columns: TableColumn<PredictionRecord>[] = [
    {
      id: 'at',
      title: trans.__('When'),
      min: 96,
      grow: 0,
      value: row => row.at,
      render: row => <Time at={row.at} />
    },
    {
      id: 'status',
      title: trans.__('Status'),
      min: 104,
      grow: 0,
      value: row => row.status,
      render: row => (
        <StateGlyph
          state={row.status < 400 ? 'ok' : 'failed'}
          word
          label={
            row.status < 400 ? trans.__('%1 ok', row.status) : trans.__('%1 error', row.status)
          }
        />
      )
    },
    {
      id: 'ms',
      title: trans.__('Time'),
      min: 72,
      grow: 0,
      align: 'end',
      value: row => row.milliseconds,
      render: row => <span title={full(row.milliseconds)}>{duration(row.milliseconds)}</span>
    },
    {
      id: 'revision',
      title: trans.__('Revision'),
      min: 72,
      grow: 0,
      align: 'end',
      value: row => row.revision
    },
    {
      id: 'rows',
      title: trans.__('Rows'),
      min: 56,
      grow: 0,
      align: 'end',
      value: row => row.rows
    },
    {
      id: 'output',
      title: trans.__('Answer'),
      min: 140,
      grow: 2,
      render: row =>
        row.error === '' ? (
          <Ellipsis text={row.output} className="pj-Monitor-code" />
        ) : (
          <Ellipsis text={row.error} className="pj-Monitor-error" />
        )
    },
    {
      id: 'inputs',
      title: trans.__('First row'),
      min: 160,
      grow: 3,
      render: row => <Ellipsis text={row.inputs} className="pj-Monitor-code" />
    },
    {
      id: 'id',
      title: trans.__('Prediction id'),
      min: 110,
      value: row => row.id,
      render: row => <Ellipsis text={row.id} className="pj-Monitor-code" />
    }
  ];
  return (
    <DataTable
      label={trans.__('Recent predictions')}
      columns={columns}
      rows={records}
      rowKey={row => row.id}
      height={12}
      empty={<p className="pj-Monitor-muted">{trans.__('None yet.')}</p>}
    />
  );
}
