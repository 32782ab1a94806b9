import type { TranslationBundle } from '@jupyterlab/translation';
import type { FormEvent } from 'react';
import { useRef, useState } from 'react';

import type { Field, InvokeReply } from '../../api';
import { asPerijoveError } from '../../api/errors';
import { Button } from '../../kit/button';
import { FormRow } from '../../kit/form';
import { duration, figure } from '../../kit/format';
import { useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { columnOf, indent, messageOf, outputsOf } from '../answer';
import { parseRow, textOf, typeWord, type Value } from '../values';

/** Values of one output that are shown before "and n more". */
const SHOWN_VALUES = 12;

type Texts = Record<string, string>;

interface Refusal {
  kind: 'refusal';
  title: string;
  message: string;
  hint: string;
  /** The column that it names. */
  column: string | undefined;
}

type Outcome = { kind: 'answer'; reply: InvokeReply } | Refusal;

export interface TryItProps {
  fields: readonly Field[];
  /** One input row, by column. */
  sample: Readonly<Record<string, unknown>> | null;
  invoke: (row: Record<string, Value>) => Promise<InvokeReply>;
  /** Why nothing can be sent now; undefined when it can. */
  closed?: string | undefined;
}

function textsOf(fields: readonly Field[], sample: TryItProps['sample']): Texts {
  return Object.fromEntries(fields.map(field => [field.name, textOf(sample?.[field.name])]));
}

/** A form made from a model's signature, filled with its sample row. */
export function TryIt({ fields, sample, invoke, closed }: TryItProps): JSX.Element {
  const trans = useTrans();
  const [texts, setTexts] = useState<Texts>(() => textsOf(fields, sample));
  const [problems, setProblems] = useState<Texts>({});
  const [sending, setSending] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const form = useRef<HTMLFormElement>(null);

  const focus = (column: string | undefined): void => {
    const at = fields.findIndex(field => field.name === column);
    if (at >= 0) {
      form.current?.querySelector<HTMLElement>(`[data-column="${at}"]`)?.focus();
    }
  };

  const send = async (): Promise<void> => {
    const row = parseRow(fields, texts, trans);
    setProblems(row.problems);
    const wrong = fields.find(field => row.problems[field.name] !== undefined);
    if (wrong !== undefined) {
      setOutcome(null);
      focus(wrong.name);
      return;
    }
    setSending(true);
    const next = await ask(() => invoke(row.values), fields, trans);
    setSending(false);
    setOutcome(next);
    if (next.kind === 'refusal' && next.column !== undefined) {
      setProblems({ [next.column]: next.message });
      focus(next.column);
    }
  };

  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    if (closed === undefined && !sending) {
      void send();
    }
  };

  if (fields.length === 0) {
    return (
      <p className="pj-Deploy-muted">
        {trans.__('The model has no signature, so there is no form for its inputs.')}
      </p>
    );
  }
  return (
    <div className="pj-Deploy-try">
      <form ref={form} noValidate onSubmit={onSubmit} aria-label={trans.__('Try it')}>
        <div className="pj-Deploy-fields">
          {fields.map((field, index) => (
            <ColumnField
              key={field.name}
              index={index}
              field={field}
              text={texts[field.name] ?? ''}
              problem={problems[field.name]}
              onChange={text => {
                setTexts(before => ({ ...before, [field.name]: text }));
                setProblems(({ [field.name]: _mended, ...others }) => others);
              }}
            />
          ))}
        </div>
        <div className="pj-Deploy-actions">
          <Button type="submit" look="accept" busy={sending} disabled={closed !== undefined}>
            {trans.__('Send request')}
          </Button>
          {sample !== null && (
            <Button
              look="link"
              onClick={() => {
                setTexts(textsOf(fields, sample));
                setProblems({});
              }}
            >
              {trans.__('Fill with the sample row')}
            </Button>
          )}
          {closed !== undefined && <span className="pj-Deploy-muted">{closed}</span>}
        </div>
      </form>
      <div aria-live="polite">
        {outcome?.kind === 'answer' && <Answer reply={outcome.reply} />}
        {outcome?.kind === 'refusal' && <RefusalView refusal={outcome} />}
      </div>
    </div>
  );
}

async function ask(
  invoke: () => Promise<InvokeReply>,
  fields: readonly Field[],
  trans: TranslationBundle
): Promise<Outcome> {
  try {
    const reply = await invoke();
    if (reply.status < 400) {
      return { kind: 'answer', reply };
    }
    return {
      kind: 'refusal',
      title: trans.__('The endpoint answered %1', reply.status),
      message: messageOf(reply.body),
      hint: '',
      column: columnOf(reply.body, fields)
    };
  } catch (thrown) {
    const error = asPerijoveError(thrown);
    const refused = error.status >= 400 && error.status < 500;
    return {
      kind: 'refusal',
      title: refused
        ? trans.__('The row was refused (%1)', error.status)
        : trans.__('No prediction came back'),
      message: error.message,
      hint: error.hint,
      column: refused ? columnOf(error.message, fields) : undefined
    };
  }
}

interface ColumnFieldProps {
  index: number;
  field: Field;
  text: string;
  problem: string | undefined;
  onChange: (text: string) => void;
}

function ColumnField({ index, field, text, problem, onChange }: ColumnFieldProps): JSX.Element {
  const trans = useTrans();
  const type = typeWord(field.type);
  const help = field.required ? type : trans.__('%1, optional', type);
  return (
    <FormRow label={field.name} help={help} error={problem}>
      {ids =>
        field.type === 'BOOL' ? (
          <div className="pj-Select">
            <select
              {...ids}
              data-column={index}
              className="jp-mod-styled pj-Input"
              value={text.toLowerCase()}
              onChange={event => onChange(event.target.value)}
            >
              <option value="">{field.required ? trans.__('choose…') : trans.__('none')}</option>
              <option value="true">true</option>
              <option value="false">false</option>
            </select>
          </div>
        ) : (
          <input
            {...ids}
            data-column={index}
            className="jp-mod-styled pj-Input"
            type="text"
            inputMode={
              field.type === 'BYTES' ? 'text' : field.type.startsWith('FP') ? 'decimal' : 'numeric'
            }
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={event => onChange(event.target.value)}
          />
        )
      }
    </FormRow>
  );
}

function RefusalView({ refusal }: { refusal: Refusal }): JSX.Element {
  const trans = useTrans();
  return (
    <section className="pj-Deploy-card pj-mod-failed" aria-label={refusal.title}>
      <header className="pj-Deploy-cardHeader">
        <StateGlyph state="failed" word label={refusal.title} />
      </header>
      <p>
        {refusal.column === undefined
          ? refusal.message
          : trans.__('The reason stands beside the column %1.', refusal.column)}
      </p>
      {refusal.hint !== '' && <p className="pj-Deploy-muted">{refusal.hint}</p>}
    </section>
  );
}

/** A fraction with three figures; words and whole numbers as they came. */
function short(value: string): string {
  return /^-?\d+\.\d/.test(value) ? figure(Number(value)) : value;
}

function Answer({ reply }: { reply: InvokeReply }): JSX.Element {
  const trans = useTrans();
  const outputs = outputsOf(reply.body);
  return (
    <section className="pj-Deploy-card" aria-label={trans.__('Prediction')}>
      <header className="pj-Deploy-cardHeader">
        <StateGlyph state="ok" word label={trans.__('Prediction')} />
        <span className="pj-Deploy-number" title={trans.__('From request to answer')}>
          {duration(reply.milliseconds)}
        </span>
      </header>
      {outputs.length > 0 && (
        <dl className="pj-Deploy-outputs">
          {outputs.map((output, index) => (
            <div key={index}>
              <dt>{output.name}</dt>
              <dd title={output.values.slice(0, SHOWN_VALUES).join(', ')}>
                {output.values.slice(0, SHOWN_VALUES).map(short).join(', ')}
                {output.values.length > SHOWN_VALUES &&
                  trans.__(' and %1 more', output.values.length - SHOWN_VALUES)}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <p className="pj-Deploy-muted">
        {trans.__('Prediction id')} <code className="pj-Deploy-id">{reply.prediction_id}</code>
      </p>
      <details open={outputs.length === 0}>
        <summary>{trans.__('Whole answer')}</summary>
        <pre className="pj-Deploy-code" tabIndex={0}>
          {indent(reply.body)}
        </pre>
      </details>
    </section>
  );
}
