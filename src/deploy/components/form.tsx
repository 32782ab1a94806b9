import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';

import type { DeployTargetInfo, Endpoint, Gate, ModelVersion } from '../../api';
import { refText } from '../../api/refs';
import {
  Button,
  Empty,
  ErrorView,
  Loaded,
  LoadingBar,
  SelectField,
  Skeleton,
  TextField,
  useAction,
  useResource,
  useServices,
  useTrans
} from '../../kit';
import { RefLink } from '../../kit/ref';
import { blocking, nameProblem, verdict } from '../gate';
import { verdictsWord } from '../phase';
import { asksAnything } from '../schema';
import { GateChecklist } from './gate';
import { OverrideForm } from './override';
import { Copy } from './snippets';
import { Verdicts } from './verdicts';

const TargetSettings = lazy(() => import('./settings'));

/** What a person without a model is told to run. */
const LOG_A_MODEL = 'pj.log_model(model, name="my-model", sample_input=X.head())';

/** How long the endpoint's name must rest before the gate is asked about it, in milliseconds. */
const REST = 300;

export interface DeployFormProps {
  /** Reference of the model to start with. */
  model?: string | undefined;
  /** Name of the endpoint to start with. */
  endpoint?: string | undefined;
  /** Path of the notebook in front, relative to the project; empty when there is none. */
  notebook: string;
  copy: (text: string) => void;
  /** It is under way; `since` is when the click was, in milliseconds since the epoch. */
  onDeployed: (endpoint: Endpoint, since: number) => void;
}

/** What, where, whether it may, and one button. */
export function DeployForm(props: DeployFormProps): JSX.Element {
  const { notebook } = props;
  const trans = useTrans();
  const models = useResource(['models'], ['problem', 'develop', 'deploy'], (client, signal) =>
    client.get('/models', { signal })
  );
  const runs = useResource(
    ['runs of', notebook],
    [],
    (client, signal) => client.get('/runs', { query: { notebook }, signal }),
    { enabled: notebook !== '' }
  );
  const targets = useResource(['targets'], [], (client, signal) =>
    client.get('/targets', { signal })
  );
  const endpoints = useResource(['endpoints'], ['deploy'], (client, signal) =>
    client.get('/endpoints', { signal })
  );
  const waits = notebook !== '' && runs.data === undefined && runs.error === undefined;
  return (
    <Loaded resource={models} skeleton={<Skeleton lines={8} />}>
      {({ items }) => {
        if (items.length === 0) {
          return (
            <Empty action={<Copy text={LOG_A_MODEL} copy={props.copy} />}>
              {trans.__('There is no model to deploy yet. Log one in a notebook:')}{' '}
              <code>{LOG_A_MODEL}</code>
            </Empty>
          );
        }
        if (waits || (targets.data === undefined && targets.error === undefined)) {
          return <Skeleton lines={8} />;
        }
        if (targets.data === undefined && targets.error !== undefined) {
          return <ErrorView error={targets.error} retry={targets.reload} />;
        }
        const here = new Set(runs.data?.items.map(run => run.run_id));
        return (
          <Filled
            {...props}
            models={items}
            preselected={
              items.find(model => model.ref === props.model) ??
              items.find(model => here.has(model.facts.run_id)) ??
              items[0]!
            }
            here={here}
            targets={targets.data?.items ?? []}
            endpoints={endpoints.data?.items ?? []}
          />
        );
      }}
    </Loaded>
  );
}

interface FilledProps extends DeployFormProps {
  models: readonly ModelVersion[];
  preselected: ModelVersion;
  /** Identifiers of the runs of the notebook in front. */
  here: ReadonlySet<string>;
  targets: readonly DeployTargetInfo[];
  endpoints: readonly Endpoint[];
}

function Filled(props: FilledProps): JSX.Element {
  const { models, targets, endpoints } = props;
  const trans = useTrans();
  const { client, events } = useServices();
  // What was chosen when the form opened stays chosen when a newer model comes in meanwhile.
  const [ref, setRef] = useState(props.preselected.ref);
  const [typed, setTyped] = useState(props.endpoint);
  const [targetName, setTarget] = useState(targets[0]?.name ?? '');
  const [settings, setSettings] = useState<ReadonlyJSONObject>({});

  const model = models.find(one => one.ref === ref) ?? props.preselected;
  const name = typed ?? model.name;
  const target = targets.find(one => one.name === targetName) ?? targets[0];
  const wrongName = nameProblem(name, trans);
  const { gate, error: gateError, loading, reload } = useGate(model.ref, name, wrongName);
  const what = trans.__('%1 to %2', refText(model.ref), name);
  const now = endpoints.find(one => one.name === name);

  const deploy = useAction(async (override: { by: string; reason: string } | null) => {
    const since = Date.now();
    const endpoint = await client.post('/endpoints', {
      body: {
        model: model.ref,
        endpoint: name,
        target: target?.name ?? 'local',
        settings,
        override
      }
    });
    events.announce('deploy');
    props.onDeployed(endpoint, since);
  });

  const closed =
    wrongName ??
    (target === undefined ? trans.__('There is no target to deploy to.') : undefined) ??
    (gate !== undefined
      ? undefined
      : gateError === undefined
        ? trans.__('The gate is being asked.')
        : trans.__('The gate could not be asked.'));
  const blocked = gate !== undefined && !gate.passed ? verdict(gate, trans) : undefined;

  return (
    <div className="pj-Deploy-form">
      <SelectField
        label={trans.__('Model')}
        value={model.ref}
        options={models.map(one => ({
          value: one.ref,
          label: optionOf(one, props.here, trans)
        }))}
        onChange={setRef}
      />
      <div className="pj-Deploy-under">
        <Verdicts verdicts={model.verdicts} />
        <RefLink of={model.ref} label={trans.__('Open model')} />
      </div>
      <TextField
        label={trans.__('Endpoint')}
        value={name}
        onChange={setTyped}
        error={wrongName}
        help={nowWord(now, trans)}
        suggestions={endpoints.map(one => one.name)}
      />
      <SelectField
        label={trans.__('Target')}
        value={target?.name ?? ''}
        options={targets.map(one => ({ value: one.name, label: one.title }))}
        disabled={targets.length < 2}
        onChange={chosen => {
          setTarget(chosen);
          setSettings({});
        }}
      />
      {target !== undefined && asksAnything(target.schema) && (
        <details className="pj-Deploy-settingsFold">
          <summary>{trans.__('Settings')}</summary>
          <Suspense fallback={<Skeleton lines={2} />}>
            <TargetSettings
              key={target.name}
              schema={target.schema}
              values={settings}
              onChange={setSettings}
            />
          </Suspense>
        </details>
      )}
      <section className="pj-Deploy-gateBox" aria-label={trans.__('Gate')}>
        <h3 className="pj-Deploy-label">{trans.__('Gate')}</h3>
        <LoadingBar active={loading} />
        {gateError !== undefined && <ErrorView error={gateError} retry={reload} compact />}
        {gate === undefined ? (
          gateError === undefined && <Skeleton lines={5} />
        ) : (
          <GateChecklist key={gate.model} gate={gate} />
        )}
      </section>
      <div className="pj-Deploy-decide">
        {deploy.error !== undefined && (
          <ErrorView
            error={deploy.error}
            compact
            retry={deploy.error.code === 'gate_blocked' ? reload : undefined}
          />
        )}
        <Button
          look="accept"
          className="pj-Deploy-wide"
          busy={deploy.busy}
          disabled={closed !== undefined || blocked !== undefined}
          title={closed ?? blocked ?? trans.__('Deploy %1', what)}
          onClick={() => void deploy.run(null)}
        >
          <span>{deploy.busy ? trans.__('Deploying %1…', what) : trans.__('Deploy %1', what)}</span>
        </Button>
        {(closed ?? blocked) !== undefined && (
          <p className="pj-Deploy-muted" role="status">
            {closed ?? trans.__('The gate is closed: %1.', blocked)}
          </p>
        )}
        {gate !== undefined && !gate.passed && (
          <OverrideForm
            key={model.ref}
            checks={blocking(gate)}
            what={what}
            closed={closed}
            busy={deploy.busy}
            onOverride={(by, reason) => void deploy.run({ by, reason })}
          />
        )}
      </div>
    </div>
  );
}

function optionOf(
  model: ModelVersion,
  here: ReadonlySet<string>,
  trans: TranslationBundle
): string {
  const parts = [
    refText(model.ref),
    verdictsWord(model.verdicts, trans),
    here.has(model.facts.run_id) && trans.__('this notebook')
  ];
  return parts.filter(Boolean).join(' · ');
}

function nowWord(endpoint: Endpoint | undefined, trans: TranslationBundle): string {
  if (endpoint === undefined) {
    return trans.__('A new endpoint.');
  }
  const next = Math.max(0, ...endpoint.revisions.map(revision => revision.number)) + 1;
  return endpoint.revision > 0
    ? trans.__('Serves %1 now. This becomes revision %2.', refText(endpoint.model), next)
    : trans.__('Is there, and serves nothing now. This becomes revision %1.', next);
}

/** The gate of a model. The old answer stays while only the endpoint's name is being typed. */
function useGate(
  model: string,
  name: string,
  wrongName: string | undefined
): {
  gate: Gate | undefined;
  error: ReturnType<typeof useResource>['error'];
  loading: boolean;
  reload: () => void;
} {
  const endpoint = useRested(wrongName === undefined ? name : '');
  const resource = useResource(
    ['gate', model, endpoint],
    ['problem', 'data', 'develop', 'deploy'],
    (client, signal) => client.get('/gate', { query: { model, endpoint }, signal })
  );
  const last = useRef<Gate>();
  useEffect(() => {
    last.current = resource.data ?? last.current;
  });
  const kept = last.current?.model === model ? last.current : undefined;
  return {
    gate: resource.data ?? (resource.error === undefined ? kept : undefined),
    error: resource.error,
    loading: resource.loading,
    reload: resource.reload
  };
}

/** A text once it has not changed for a moment. */
function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), REST);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}
