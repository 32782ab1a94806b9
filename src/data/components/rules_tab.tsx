import type { Trans } from '../../api/language';
import { useState } from 'react';

import {
  PerijoveError,
  type Dataset,
  type QualityResult,
  type Rule,
  type RuleResult,
  type RuleSet
} from '../../api';
import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { Drawer } from '../../kit/drawer';
import { Empty, ErrorView, Loaded } from '../../kit/feedback';
import { TextAreaField } from '../../kit/form';
import { count } from '../../kit/format';
import { Section } from '../../kit/header';
import { Sparkline } from '../../kit/meter';
import { RefLink } from '../../kit/ref';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { DataTable, type TableColumn } from '../../kit/table';
import { TaskProgress, useTask } from '../../kit/task';
import { Badge, Ellipsis, Time } from '../../kit/values';
import { actionInWords, NEW_RULE, newest, ruleInWords, trendOf } from '../rules';
import { RuleForm } from './rule_form';

/** The quality rules of a dataset, what they found, and what was set aside. */
export function RulesTab({ dataset }: { dataset: Dataset }): JSX.Element {
  const { name } = dataset;
  const rules = useResource(['rules', name], ['data'], (client, signal) =>
    client.get('/datasets/{name}/rules', { path: { name }, signal })
  );
  return <Loaded resource={rules}>{set => <Rules dataset={dataset} set={set} />}</Loaded>;
}

type Panel = { show: 'rule'; rule: Rule } | { show: 'suggestions' } | { show: 'import' };

function Rules(props: { dataset: Dataset; set: RuleSet }): JSX.Element {
  const { dataset, set } = props;
  const { name, version } = dataset;
  const { client, events } = useServices();
  const trans = useTrans();
  const [panel, setPanel] = useState<Panel>();
  const [checking, setChecking] = useState('');
  const history = useResource(['quality', name], ['data'], (c, signal) =>
    c.get('/datasets/{name}/quality', { path: { name }, signal })
  );
  const task = useTask(checking);
  const save = useAction(async (next: readonly Rule[]) => {
    await client.put('/datasets/{name}/rules', {
      path: { name },
      body: { rules: [...next], revision: set.revision }
    });
    setPanel(undefined);
    events.announce('data');
  });
  const check = useAction(async () => {
    const started = await client.post('/datasets/{name}/check', {
      path: { name },
      body: { version }
    });
    setChecking(started.id);
    events.announce('data');
  });
  const columns: TableColumn<Rule>[] = [
    {
      id: 'rule',
      title: trans.__('Rule'),
      value: rule => ruleInWords(rule, trans),
      render: rule => <Ellipsis text={ruleInWords(rule, trans)} className="pj-mod-strong" />,
      min: 200,
      grow: 3
    },
    {
      id: 'id',
      title: trans.__('Name'),
      value: rule => rule.id,
      render: rule => <Ellipsis text={rule.id} className="pj-mod-quiet" />,
      min: 110
    },
    {
      id: 'action',
      title: trans.__('Otherwise'),
      value: rule => actionInWords(rule, trans),
      min: 110,
      grow: 0
    },
    {
      id: 'failed',
      title: trans.__('Rows that fail'),
      value: rule => newest(history.data, rule.id)?.failed ?? null,
      render: rule => <Failed history={history.data} rule={rule} />,
      align: 'end',
      min: 128,
      grow: 0
    },
    {
      id: 'trend',
      title: trans.__('Trend'),
      render: rule => {
        const trend = trendOf(history.data, rule.id);
        return trend.length > 1 ? (
          <Sparkline
            values={trend}
            min={0}
            label={trans.__('Rows that fail %1, check by check', rule.id)}
          />
        ) : (
          ''
        );
      },
      min: 104,
      grow: 0
    }
  ];
  const broken = set.error !== null;
  const taken = new Set(set.rules.map(rule => rule.id));
  return (
    <div className="pj-Rules">
      <div className="pj-Columns-bar">
        <code className="pj-mod-quiet">{set.path}</code>
        {task !== undefined && (
          <TaskProgress task={task} label={trans.__('Check of version %1', version)} />
        )}
        <span className="pj-ViewBar-space" />
        <Button disabled={broken} onClick={() => setPanel({ show: 'import' })}>
          {trans.__('Import')}
        </Button>
        <Button disabled={broken} onClick={() => setPanel({ show: 'suggestions' })}>
          {trans.__('Suggest')}
        </Button>
        <Button disabled={broken} onClick={() => setPanel({ show: 'rule', rule: NEW_RULE })}>
          {trans.__('Add rule')}
        </Button>
        <Button
          look="accept"
          busy={check.busy || task?.state === 'running'}
          disabled={broken || set.rules.length === 0}
          onClick={() => void check.run()}
        >
          {trans.__('Check version %1', version)}
        </Button>
      </div>
      {set.error !== null && <ErrorView error={new PerijoveError(set.error)} compact />}
      {save.error !== undefined && <ErrorView error={save.error} compact />}
      {check.error !== undefined && <ErrorView error={check.error} compact />}
      <div className="pj-Columns-main">
        <div className="pj-Rules-content">
          <DataTable
            label={trans.__('Rules')}
            columns={columns}
            rows={set.rules}
            rowKey={rule => rule.id}
            onOpen={rule => setPanel({ show: 'rule', rule })}
            height={12}
            empty={
              <Empty
                action={
                  <Button look="accept" onClick={() => setPanel({ show: 'suggestions' })}>
                    {trans.__('Suggest rules')}
                  </Button>
                }
              >
                {trans.__(
                  'No rule yet: what must hold of every row, and what happens to rows where it does not.'
                )}
              </Empty>
            }
          />
          {history.data !== undefined && history.data.items.length > 0 && (
            <Section title={trans.__('Checks')}>
              {history.data.items.map(result => (
                <Result key={result.ref} result={result} />
              ))}
            </Section>
          )}
        </div>
        {panel?.show === 'rule' && (
          <Drawer
            key={panel.rule.id}
            title={panel.rule.id === '' ? trans.__('New rule') : panel.rule.id}
            onClose={() => setPanel(undefined)}
          >
            <RuleForm
              dataset={dataset}
              rule={panel.rule}
              taken={taken}
              busy={save.busy}
              onSave={rule =>
                void save.run(
                  panel.rule.id === ''
                    ? [...set.rules, rule]
                    : set.rules.map(old => (old.id === panel.rule.id ? rule : old))
                )
              }
              onRemove={
                panel.rule.id === ''
                  ? undefined
                  : () => void save.run(set.rules.filter(old => old.id !== panel.rule.id))
              }
            />
          </Drawer>
        )}
        {panel?.show === 'suggestions' && (
          <Suggested
            name={name}
            rules={set.rules}
            busy={save.busy}
            onAdd={added => void save.run([...set.rules, ...added])}
            onClose={() => setPanel(undefined)}
          />
        )}
        {panel?.show === 'import' && (
          <Import
            name={name}
            busy={save.busy}
            taken={taken}
            onAdd={added => void save.run([...set.rules, ...added])}
            onClose={() => setPanel(undefined)}
          />
        )}
      </div>
    </div>
  );
}

function Failed(props: { history: Parameters<typeof newest>[0]; rule: Rule }): JSX.Element | null {
  const trans = useTrans();
  const result = newest(props.history, props.rule.id);
  if (result === undefined) {
    return <span className="pj-mod-quiet">{trans.__('not checked')}</span>;
  }
  if (result.state === 'error') {
    return (
      <Badge look="failed" title={result.detail}>
        {trans.__('error')}
      </Badge>
    );
  }
  if (result.failed === 0) {
    return <span className="pj-mod-quiet">{trans.__('none')}</span>;
  }
  return (
    <span title={[result.detail, ...result.examples].filter(Boolean).join('\n')}>
      {count(result.failed)}
    </span>
  );
}

/** What one check found, rule by rule. */
function Result({ result }: { result: QualityResult }): JSX.Element {
  const trans = useTrans();
  const { facts } = result;
  const failing = facts.results.filter(one => one.state !== 'pass');
  const look = facts.blocked ? 'failed' : failing.length > 0 ? 'attention' : 'ok';
  return (
    <details className="pj-Result">
      <summary>
        <Badge look={look}>
          {facts.blocked
            ? trans.__('blocked')
            : failing.length > 0
              ? trans._n('%1 rule fails', '%1 rules fail', failing.length)
              : trans.__('all pass')}
        </Badge>
        <span>
          <RefLink of={facts.dataset} /> · <Time at={result.at} /> · {result.by}
        </span>
        <span className="pj-mod-quiet">
          {[
            trans.__('%1 of %2 rows kept', count(facts.kept), count(facts.rows)),
            facts.quarantined > 0 && trans.__('%1 in quarantine', count(facts.quarantined)),
            facts.fixed > 0 && trans.__('%1 fixed', count(facts.fixed)),
            facts.dropped > 0 && trans.__('%1 dropped', count(facts.dropped))
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
        {facts.quarantine !== '' && (
          <RefLink of={facts.quarantine} label={trans.__('look at the quarantine')} />
        )}
      </summary>
      <ul className="pj-Result-rules">
        {facts.results.map(one => (
          <li key={one.rule.id}>
            <Badge
              look={
                one.state === 'pass'
                  ? 'ok'
                  : one.state === 'blocked' || one.state === 'error'
                    ? 'failed'
                    : 'attention'
              }
            >
              {resultName(one.state, trans)}
            </Badge>
            <span>{ruleInWords(one.rule, trans)}</span>
            {one.failed > 0 && (
              <span>{trans._n('%2 row fails', '%2 rows fail', one.failed, count(one.failed))}</span>
            )}
            {one.detail !== '' && <span className="pj-mod-quiet">{one.detail}</span>}
            {one.examples.length > 0 && (
              <code className="pj-mod-quiet">{one.examples.join(', ')}</code>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

function resultName(state: RuleResult['state'], trans: Trans): string {
  switch (state) {
    case 'pass':
      return trans.__('passes');
    case 'warn':
      return trans.__('warning');
    case 'fixed':
      return trans.__('fixed');
    case 'quarantined':
      return trans.__('quarantined');
    case 'blocked':
      return trans.__('blocked');
    case 'error':
      return trans.__('error');
  }
}

interface ChoiceProps {
  busy: boolean;
  onAdd: (rules: readonly Rule[]) => void;
  onClose: () => void;
}

function Suggested(props: ChoiceProps & { name: string; rules: readonly Rule[] }): JSX.Element {
  const { name, rules, busy, onAdd, onClose } = props;
  const trans = useTrans();
  const known = new Set(rules.map(rule => ruleInWords(rule, trans)));
  const suggested = useResource(['suggested', name], [], (client, signal) =>
    client.get('/datasets/{name}/rules/suggested', { path: { name }, signal })
  );
  return (
    <Drawer title={trans.__('Suggested rules')} onClose={onClose}>
      <Loaded resource={suggested}>
        {({ items }) => {
          const fresh = items.filter(item => !known.has(ruleInWords(item.rule, trans)));
          return fresh.length === 0 ? (
            <Empty>{trans.__('The values suggest no rule that is not here already.')}</Empty>
          ) : (
            <>
              <Button look="accept" busy={busy} onClick={() => onAdd(fresh.map(i => i.rule))}>
                {trans._n('Add %1 rule', 'Add all %1 rules', fresh.length)}
              </Button>
              <ul className="pj-Suggestions">
                {fresh.map(({ rule, reason }) => (
                  <li key={rule.id}>
                    <div>
                      <strong>{ruleInWords(rule, trans)}</strong>
                      <p className="pj-mod-quiet">{reason}</p>
                    </div>
                    <Button busy={busy} onClick={() => onAdd([rule])}>
                      {trans.__('Add')}
                    </Button>
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Loaded>
    </Drawer>
  );
}

function Import(props: ChoiceProps & { name: string; taken: ReadonlySet<string> }): JSX.Element {
  const { name, taken, busy, onAdd, onClose } = props;
  const { client } = useServices();
  const trans = useTrans();
  const [text, setText] = useState('');
  const read = useAction(async () => {
    const { items } = await client.post('/datasets/{name}/rules/import', {
      path: { name },
      body: { schema: text }
    });
    onAdd(items.map(item => item.rule).filter(rule => !taken.has(rule.id)));
  });
  return (
    <Drawer title={trans.__('Import a pandera schema')} onClose={onClose}>
      <TextAreaField
        label={trans.__('Schema')}
        help={trans.__('As DataFrameSchema.to_yaml() or to_json() writes it')}
        rows={16}
        value={text}
        onChange={setText}
      />
      {read.error !== undefined && <ErrorView error={read.error} compact />}
      <div className="pj-FilterEditor-actions">
        <Button
          look="accept"
          busy={busy || read.busy}
          disabled={text.trim() === ''}
          onClick={() => void read.run()}
        >
          {trans.__('Import rules')}
        </Button>
      </div>
    </Drawer>
  );
}
