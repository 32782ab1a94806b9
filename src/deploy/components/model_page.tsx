import type { Field, ModelVersion } from '../../api';
import { refText } from '../../api/refs';
import { PerijoveError } from '../../api/errors';
import {
  Badge,
  Button,
  DataTable,
  ErrorView,
  KeyValue,
  Loaded,
  Meter,
  PageHeader,
  Section,
  Tabs,
  Time,
  figure,
  useResource,
  useServices,
  useTrans,
  type PageProps,
  type TableColumn
} from '../../kit';
import { useKept } from '../../kit/kept';
import { RefLink } from '../../kit/ref';
import { CommandIDs as ProblemIDs } from '../../problem/tokens';
import { CHAMPION } from '../aliases';
import { CommandIDs } from '../tokens';
import { textOf, typeWord } from '../values';
import { AliasBar, Versions } from './aliases';
import { GateChecklist } from './gate';
import { ModelCardTab } from './model_card';
import { Verdicts } from './verdicts';

/** From here on one feature alone predicts the target too well to be honest. */
const LEAK = 0.95;

// A type, for the arguments of a page are JSON, which an interface cannot promise.
export type ModelArgs = { ref: string };

/** One model version: what it takes, what was measured, what made it, and its way out. */
export default function ModelPage({ args }: PageProps<ModelArgs>): JSX.Element {
  const trans = useTrans();
  const models = useResource(['models'], ['problem', 'develop', 'deploy'], (client, signal) =>
    client.get('/models', { signal })
  );
  return (
    <Loaded resource={models}>
      {({ items }) => {
        // A reference without a version means the newest.
        const model = items.find(one => one.ref === args.ref || one.ref.startsWith(`${args.ref}@`));
        return model === undefined ? (
          <ErrorView
            error={
              new PerijoveError({
                code: 'model_not_found',
                message: trans.__('The project has no model %1.', refText(args.ref)),
                hint: trans.__('The Deploy page lists the models that there are.')
              })
            }
            retry={models.reload}
          />
        ) : (
          <ModelView model={model} versions={items.filter(one => one.name === model.name)} />
        );
      }}
    </Loaded>
  );
}

type TabId = 'overview' | 'card';

function tabOf(kept: unknown): TabId | undefined {
  return kept === 'overview' || kept === 'card' ? kept : undefined;
}

interface ModelViewProps {
  model: ModelVersion;
  /** All versions of the model, the newest first. */
  versions: readonly ModelVersion[];
}

function ModelView({ model, versions }: ModelViewProps): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const [tab, setTab] = useKept<TabId>('tab', 'overview', tabOf);
  const act = (command: string, args: Record<string, string>) => () =>
    void commands.execute(command, args);
  return (
    <>
      <PageHeader
        kind={trans.__('Model')}
        title={refText(model.ref)}
        facts={
          <>
            <Verdicts verdicts={model.verdicts} />
            <AliasBar model={model} />
          </>
        }
        actions={
          <>
            {!model.aliases.includes(CHAMPION) && (
              <Button onClick={act(CommandIDs.promoteModel, { ref: model.ref })}>
                {trans.__('Promote to champion')}
              </Button>
            )}
            <Button look="accept" onClick={act(CommandIDs.deployModel, { model: model.ref })}>
              {trans.__('Deploy model')}
            </Button>
          </>
        }
      />
      <Tabs
        label={trans.__('Parts of the model')}
        tabs={[
          { id: 'overview', label: trans.__('Overview') },
          { id: 'card', label: trans.__('Model card') }
        ]}
        current={tab}
        onChange={id => setTab(tabOf(id) ?? 'overview')}
      >
        {tab === 'card' ? (
          <ModelCardTab model={model} />
        ) : (
          <Overview model={model} versions={versions} />
        )}
      </Tabs>
    </>
  );
}

function Overview({ model, versions }: ModelViewProps): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const { facts } = model;
  const gate = useResource(
    ['gate', model.ref],
    ['problem', 'data', 'develop', 'deploy'],
    (client, signal) => client.get('/gate', { query: { model: model.ref }, signal })
  );
  return (
    <>
      <div className="pj-Deploy-columns">
        <div>
          <Section
            title={trans.__('Made by')}
            actions={
              <Button
                look="link"
                onClick={() => void commands.execute(ProblemIDs.openLineage, { ref: model.ref })}
              >
                {trans.__('Show lineage')}
              </Button>
            }
          >
            <KeyValue
              items={[
                [trans.__('Run'), <RefLink key="run" of={`run:${facts.run_id}@1`} />],
                [
                  trans.__('Trained on'),
                  facts.dataset === null ? trans.__('unknown') : <RefLink of={facts.dataset} />
                ],
                [trans.__('Target'), facts.target === '' ? trans.__('unknown') : facts.target],
                [trans.__('Logged'), <Time key="at" at={model.at} />],
                [trans.__('By'), model.by],
                [trans.__('Kind'), `${facts.flavor}, ${facts.format}`],
                [trans.__('Address'), <code key="uri">{facts.uri}</code>],
                [
                  trans.__('Deployed as'),
                  model.endpoints.length === 0 ? (
                    trans.__('nothing')
                  ) : (
                    <span className="pj-Deploy-list">
                      {model.endpoints.map(name => (
                        <RefLink key={name} of={`endpoint:${name}`} />
                      ))}
                    </span>
                  )
                ],
                [
                  trans.__('Unregistered inputs'),
                  facts.unregistered.length === 0 ? null : (
                    <ul className="pj-Deploy-chips">
                      {facts.unregistered.map(path => (
                        <li key={path}>
                          <code title={path}>{path}</code>
                        </li>
                      ))}
                    </ul>
                  )
                ]
              ]}
            />
          </Section>
          <Section title={trans.__('Inputs')}>
            <Inputs model={model} />
          </Section>
        </div>
        <div>
          <Section title={trans.__('Gate')}>
            <Loaded resource={gate}>{data => <GateChecklist gate={data} />}</Loaded>
          </Section>
          <Section title={trans.__('Versions')}>
            <Versions model={model} versions={versions} />
          </Section>
          <Section title={trans.__('Files')}>
            <ul className="pj-Deploy-manifest">
              {Object.entries(facts.manifest).map(([file, sha256]) => (
                <li key={file}>
                  <span title={file}>{file}</span>
                  <code title={sha256}>{sha256.slice(0, 12)}</code>
                </li>
              ))}
            </ul>
          </Section>
        </div>
      </div>
    </>
  );
}

interface InputRow {
  field: Field;
  sample: string;
  leak: number | null;
}

function Inputs({ model }: { model: ModelVersion }): JSX.Element {
  const trans = useTrans();
  const { signature, sample, leaks } = model.facts;
  if (signature === null) {
    return <p className="pj-Deploy-muted">{trans.__('The model has no signature.')}</p>;
  }
  const scores = new Map(leaks.map(leak => [leak.feature, leak.score]));
  const rows: InputRow[] = signature.inputs.map(field => ({
    field,
    sample: textOf(sample?.[field.name]),
    leak: scores.get(field.name) ?? null
  }));
  const columns: TableColumn<InputRow>[] = [
    { id: 'name', title: trans.__('Column'), min: 110, value: row => row.field.name },
    {
      id: 'type',
      title: trans.__('Type'),
      min: 72,
      grow: 0,
      value: row => typeWord(row.field.type)
    },
    { id: 'sample', title: trans.__('Sample'), min: 90, value: row => row.sample },
    {
      id: 'leak',
      title: trans.__('Predicts alone'),
      help: trans.__(
        'How well this column alone predicts the target on the training rows; near 1 it probably knows the answer'
      ),
      min: 150,
      align: 'end',
      value: row => row.leak,
      render: row =>
        row.leak === null ? (
          <span className="pj-Deploy-muted">{trans.__('not measured')}</span>
        ) : (
          <span className="pj-Deploy-leak" title={String(row.leak)}>
            {row.leak >= LEAK && <Badge look="failed">{trans.__('leaks')}</Badge>}
            <Meter
              share={row.leak}
              high={LEAK}
              label={trans.__('Predicts alone')}
              text={figure(row.leak)}
            />
            <span className="pj-Deploy-number">{figure(row.leak)}</span>
          </span>
        )
    }
  ];
  return (
    <>
      <DataTable
        label={trans.__('Inputs')}
        columns={columns}
        rows={rows}
        rowKey={row => row.field.name}
        sort={{ column: 'leak', descending: true }}
        height={14}
      />
      <p className="pj-Deploy-muted">
        {trans.__(
          'Answers: %1',
          signature.outputs.map(field => `${field.name} (${typeWord(field.type)})`).join(', ')
        )}
      </p>
    </>
  );
}
