import { useState } from 'react';

import type { Metric, Project } from '../../api';
import {
  Button,
  ErrorView,
  NumberField,
  Section,
  SelectField,
  TextAreaField,
  TextField,
  useAction,
  useResource,
  useServices,
  useTrans
} from '../../kit';
import { draftOf, emptyKpi, errorsOf, updateOf } from '../draft';
import type { Draft, KpiDraft, KpiErrors } from '../draft';
import { sign, targetText } from '../target';

const SPLITS = ['train', 'validation', 'test'];

export interface DefinitionFormProps {
  /** The definition as it stands in the file now. */
  project: Project;
  onReload: () => void;
  onDone: () => void;
}

/**
 * The definition as a form. What was typed stays when the file changes meanwhile: its newer values
 * are shown beside, and saving says that it writes over them.
 */
export function DefinitionForm({ project, onReload, onDone }: DefinitionFormProps): JSX.Element {
  const trans = useTrans();
  const { client, events } = useServices();
  const [draft, setDraft] = useState<Draft>(() => {
    const begun = draftOf(project);
    // Without a target the form shows what one looks like; left blank, it is not saved.
    return begun.kpis.length === 0 ? { ...begun, kpis: [emptyKpi([], undefined)] } : begun;
  });
  const [checked, setChecked] = useState(false);
  const metrics = useResource(['metrics'], [], (api, signal) => api.get('/metrics', { signal }));
  const datasets = useResource(['datasets'], ['data'], (api, signal) =>
    api.get('/datasets', { signal })
  );
  const known: readonly Metric[] = metrics.data?.items ?? [];
  const errors = draft.kpis.map(kpi => errorsOf(kpi, trans));
  const faulty = errors.some(one => Object.keys(one).length > 0);
  const newer = project.revision !== draft.revision;

  const save = useAction(async () => {
    await client.put('/project', { body: updateOf(draft, project.revision, known) });
    events.announce('problem');
    onDone();
  });
  const conflict = save.error?.status === 409;

  const change = (part: Partial<Draft>): void => setDraft(old => ({ ...old, ...part }));
  const changeKpi = (id: number, part: Partial<KpiDraft>): void =>
    setDraft(old => ({
      ...old,
      kpis: old.kpis.map(kpi => (kpi.id === id ? { ...kpi, ...part } : kpi))
    }));
  const submit = async (): Promise<void> => {
    setChecked(true);
    if (!faulty && !(await save.run())) {
      onReload();
    }
  };

  return (
    <form
      className="pj-Definition"
      noValidate
      onSubmit={event => {
        event.preventDefault();
        void submit();
      }}
    >
      {(newer || conflict) && <Newer project={project} draft={draft} />}
      {save.error !== undefined && !conflict && <ErrorView error={save.error} compact />}
      <Section title={trans.__('Question')}>
        <div className="pj-Definition-fields">
          <TextField
            label={trans.__('Name')}
            value={draft.name}
            onChange={name => change({ name })}
          />
          <TextField
            label={trans.__('Owner')}
            value={draft.owner}
            placeholder={trans.__('Who decides whether the answer is good enough')}
            onChange={owner => change({ owner })}
          />
          <TextAreaField
            label={trans.__('Question')}
            autoFocus
            value={draft.question}
            placeholder={trans.__('What is to be predicted, for whom, and what they do with it')}
            onChange={question => change({ question })}
          />
        </div>
      </Section>
      <Section
        title={trans.__('Targets')}
        actions={
          <Button
            onClick={() =>
              change({
                kpis: [...draft.kpis, emptyKpi(known, draft.kpis[draft.kpis.length - 1])]
              })
            }
          >
            {trans.__('Add target')}
          </Button>
        }
      >
        {metrics.error !== undefined && (
          <ErrorView error={metrics.error} retry={metrics.reload} compact />
        )}
        {draft.kpis.length === 0 && (
          <p className="pj-Definition-none">
            {trans.__('No target. Without one the gate lets no model through.')}
          </p>
        )}
        {draft.kpis.map((kpi, index) => (
          <KpiRow
            key={kpi.id}
            kpi={kpi}
            errors={checked ? (errors[index] ?? {}) : {}}
            metrics={known}
            datasets={(datasets.data?.items ?? []).map(dataset => dataset.name)}
            onChange={part => changeKpi(kpi.id, part)}
            onRemove={() => change({ kpis: draft.kpis.filter(one => one.id !== kpi.id) })}
          />
        ))}
      </Section>
      <div className="pj-Definition-buttons">
        <Button onClick={onDone}>{trans.__('Cancel')}</Button>
        <Button type="submit" look="accept" busy={save.busy}>
          {newer || conflict ? trans.__('Save over the newer file') : trans.__('Save project')}
        </Button>
        {checked && faulty && (
          <span className="pj-Definition-faulty" role="alert">
            {trans.__('Some fields need another value.')}
          </span>
        )}
      </div>
    </form>
  );
}

/** What stands in the file now, where somebody changed it during the edit. */
function Newer({ project, draft }: { project: Project; draft: Draft }): JSX.Element {
  const trans = useTrans();
  const differs = (
    [
      [trans.__('Name'), project.name, draft.name],
      [trans.__('Owner'), project.owner, draft.owner],
      [trans.__('Question'), project.question, draft.question]
    ] as const
  ).filter(([, theirs, mine]) => theirs !== mine);
  return (
    <div className="pj-Definition-newer" role="alert">
      <p>
        {trans.__(
          'perijove.toml was changed after you began. What you typed is kept; this stands in the file now:'
        )}
      </p>
      <ul>
        {differs.map(([label, theirs]) => (
          <li key={label}>
            {label}: {theirs === '' ? trans.__('(empty)') : theirs}
          </li>
        ))}
        <li>
          {trans.__('Targets')}:{' '}
          {project.kpis.length === 0
            ? trans.__('none')
            : project.kpis.map(kpi => targetText(kpi, trans)).join('; ')}
        </li>
      </ul>
    </div>
  );
}

interface KpiRowProps {
  kpi: KpiDraft;
  errors: KpiErrors;
  metrics: readonly Metric[];
  datasets: readonly string[];
  onChange: (part: Partial<KpiDraft>) => void;
  onRemove: () => void;
}

function KpiRow(props: KpiRowProps): JSX.Element {
  const { kpi, errors, metrics, datasets, onChange, onRemove } = props;
  const trans = useTrans();
  const metric = metrics.find(one => one.name === kpi.metric);
  const mark = metric === undefined ? '' : sign(metric);
  const options = metrics.map(one => ({ value: one.name, label: one.title }));
  if (metric === undefined) {
    options.unshift({
      value: kpi.metric,
      label: kpi.metric === '' ? trans.__('Choose…') : trans.__('%1 (unknown)', kpi.metric)
    });
  }
  return (
    <fieldset className="pj-KpiRow">
      <legend className="pj-visually-hidden">{trans.__('Target')}</legend>
      <SelectField
        label={trans.__('Metric')}
        error={errors.metric}
        value={kpi.metric}
        options={options}
        onChange={value => onChange({ metric: value })}
      />
      <TextField
        label={trans.__('Dataset')}
        error={errors.data}
        value={kpi.data}
        suggestions={datasets}
        onChange={data => onChange({ data })}
      />
      <SelectField
        label={trans.__('Split')}
        value={kpi.split}
        options={[...new Set([...SPLITS, kpi.split])].map(split => ({
          value: split,
          label: split
        }))}
        onChange={split => onChange({ split })}
      />
      <NumberField
        label={trans.__('Target %1', mark)}
        error={errors.target}
        value={kpi.target}
        onChange={target => onChange({ target })}
      />
      <NumberField
        label={trans.__('Live minimum %1', mark)}
        error={errors.minimum}
        value={kpi.minimum}
        placeholder={trans.__('none')}
        onChange={minimum => onChange({ minimum })}
      />
      <Button className="pj-KpiRow-remove" onClick={onRemove}>
        {trans.__('Remove')}
      </Button>
    </fieldset>
  );
}
