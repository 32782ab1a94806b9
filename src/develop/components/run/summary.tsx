import type { Kpi, Run, RunSummary, Usage } from '../../../api';
import { bytes, duration, figure } from '../../../kit/format';
import { Section } from '../../../kit/header';
import { RefLink } from '../../../kit/ref';
import { useTrans } from '../../../kit/services';
import { Badge, Figure, KeyValue } from '../../../kit/values';
import { dataOf } from '../../card';
import { isSystem } from '../../look';
import { mainTarget, targetsOf } from '../../target';
import { TargetLine } from '../verdict';
import { Note } from './note';
import { Tags } from './tags';

export interface SummaryTabProps {
  run: Run;
  /** The run with its newest numbers. */
  summary: RunSummary;
  kpis: readonly Kpi[];
}

/** What a run came to, with what, and what somebody says of it. */
export function SummaryTab({ run, summary, kpis }: SummaryTabProps): JSX.Element {
  const trans = useTrans();
  const measured = targetsOf(summary);
  const logged = mainTarget(summary, kpis);
  const targets = measured.length > 0 || logged === null ? measured : [logged];
  const metrics = Object.keys(summary.metrics).sort();
  const own = metrics.filter(key => !isSystem(key));
  const system = metrics.filter(isSystem);
  const values = (keys: readonly string[]) =>
    keys.map(key => [key, <Figure key={key} value={summary.metrics[key]} />] as const);
  return (
    <div className="pj-Run-scroll">
      <Section title={trans.__('Targets')}>
        {targets.length === 0 ? (
          <p className="pj-mod-quiet pj-Run-line">
            {kpis.length === 0
              ? trans.__('This project has no target yet.')
              : trans.__('Nothing was measured yet: pj.evaluate(model, "%1") does.', kpis[0]!.data)}
          </p>
        ) : (
          <ul className="pj-Run-targets">
            {targets.map(target => (
              <li key={`${target.metric} ${target.on}`}>
                <TargetLine target={target} />
              </li>
            ))}
          </ul>
        )}
      </Section>
      <div className="pj-Run-facts">
        <Section title={trans.__('Metrics')}>
          <Values items={values(own)} none={trans.__('No metric was logged.')} />
          {system.length > 0 && (
            <details className="pj-Fold">
              <summary>{trans.__('Of the machine')}</summary>
              <KeyValue
                items={values(system).map(([key, value]) => [
                  key.slice(key.indexOf('/') + 1),
                  value
                ])}
              />
            </details>
          )}
        </Section>
        <Section title={trans.__('Parameters')}>
          <Values
            items={Object.entries(summary.params)
              .sort(([a], [b]) => a.localeCompare(b))
              .map(([key, value]) => [
                key,
                <span key={key} className="pj-Run-value" title={value}>
                  {value}
                </span>
              ])}
            none={trans.__('No parameter was logged.')}
          />
          {run.masked.length > 0 && (
            <p className="pj-Note pj-Run-masked">
              {trans.__(
                'Not kept, for they look like secrets: %1. Take secrets from the environment.',
                run.masked.join(', ')
              )}
            </p>
          )}
        </Section>
        <Section title={trans.__('Data and models')}>
          <DataAndModels run={run} />
        </Section>
        <Section title={trans.__('Took')}>
          <Took summary={summary} usage={run.usage} />
        </Section>
        <Note run={run} />
        <Tags run={run} />
      </div>
    </div>
  );
}

function Values(props: {
  items: readonly (readonly [string, string | JSX.Element])[];
  none: string;
}): JSX.Element {
  return props.items.length === 0 ? (
    <p className="pj-mod-quiet pj-Run-line">{props.none}</p>
  ) : (
    <KeyValue items={props.items} />
  );
}

function DataAndModels({ run }: { run: Run }): JSX.Element {
  const trans = useTrans();
  const refs = (items: readonly string[], none: string): JSX.Element =>
    items.length === 0 ? (
      <span className="pj-mod-quiet">{none}</span>
    ) : (
      <ul className="pj-RefList">
        {items.map(ref => (
          <li key={ref}>
            <RefLink of={ref} />
          </li>
        ))}
      </ul>
    );
  return (
    <KeyValue
      items={[
        [trans.__('Read'), refs(dataOf(run.inputs), trans.__('no registered dataset'))],
        [
          trans.__('Not registered'),
          run.unregistered.length === 0 ? null : (
            <ul key="unregistered" className="pj-RefList">
              {run.unregistered.map(file => (
                <li key={file}>
                  <Badge
                    look="attention"
                    title={trans.__('A model that was trained on it does not pass the gate')}
                  >
                    {file}
                  </Badge>
                </li>
              ))}
            </ul>
          )
        ],
        [trans.__('Made'), refs(run.summary.models, trans.__('no model'))]
      ]}
    />
  );
}

function Took({ summary, usage }: { summary: RunSummary; usage: Usage | null }): JSX.Element {
  const trans = useTrans();
  if (usage === null) {
    return (
      <p className="pj-mod-quiet pj-Run-line">
        {summary.ended === null
          ? trans.__('It is counted when the run ends.')
          : trans.__('It was not counted.')}
      </p>
    );
  }
  const seconds = (value: number | null): string | null =>
    value === null ? null : duration(value * 1000);
  return (
    <KeyValue
      items={[
        [trans.__('Time'), seconds(usage.seconds)],
        [trans.__('CPU time'), seconds(usage.cpu_seconds)],
        [trans.__('GPU time'), seconds(usage.gpu_seconds)],
        [trans.__('GPUs'), usage.gpus.length === 0 ? null : usage.gpus.join(', ')],
        [trans.__('Peak memory'), usage.peak_memory === null ? null : bytes(usage.peak_memory)],
        [
          trans.__('Peak GPU memory'),
          usage.peak_gpu_memory === null ? null : bytes(usage.peak_gpu_memory)
        ],
        [
          trans.__('Cost'),
          usage.cost === null ? (
            <span
              key="cost"
              className="pj-mod-quiet"
              title={trans.__('[costs] in perijove.toml says what an hour of a CPU or a GPU costs')}
            >
              {trans.__('no rates are set')}
            </span>
          ) : (
            <span key="cost" title={String(usage.cost)}>
              {`${figure(usage.cost)} ${usage.currency}`.trim()}
            </span>
          )
        ]
      ]}
    />
  );
}
