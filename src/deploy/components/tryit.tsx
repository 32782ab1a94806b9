import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useRef, useState, type FormEvent, type ReactNode } from 'react';

import type { Field, InvokeReply, PerijoveError } from '../../api';
import { columnOf, indent, messageOf, outputsOf } from '../answer';
import { parseRow, textOf, typeWord, type Value } from '../values';

/** Values of one output that are shown before "and n more". */
const SHOWN_VALUES = 12;

type Texts = Record<string, string>;

type Outcome =
  | { kind: 'answer'; reply: InvokeReply }
  | { kind: 'refusal'; title: string; message: string; hint: string; column: string | undefined };

export interface TryItProps {
  fields: readonly Field[];
  /** One input row, by column. */
  sample: Readonly<Record<string, unknown>> | null;
  /** Rejects with a {@link PerijoveError}. */
  invoke: (row: Record<string, Value>) => Promise<InvokeReply>;
  /** Why nothing can be sent now; undefined when it can. */
  closed?: string | undefined;
  trans: TranslationBundle;
}

function textsOf(fields: readonly Field[], sample: TryItProps['sample']): Texts {
  return Object.fromEntries(fields.map(field => [field.name, textOf(sample?.[field.name])]));
}

/** A form made from a model's signature, filled with its sample row. */
export function TryIt(props: TryItProps): JSX.Element {
  const { fields, sample, trans, closed } = props;
  const [texts, setTexts] = useState<Texts>(() => textsOf(fields, sample));
  const [problems, setProblems] = useState<Texts>({});
  const [sending, setSending] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const names = useId();

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
    let next: Outcome;
    try {
      const reply = await props.invoke(row.values);
      next = reply.status < 400 ? { kind: 'answer', reply } : refusalOf(reply, fields, trans);
    } catch (error) {
      next = failureOf(error as PerijoveError, fields, trans);
    }
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

  return (
    <div className="pj-deploy-try">
      <form ref={form} noValidate onSubmit={onSubmit} aria-busy={sending}>
        {fields.length === 0 && (
          <p className="pj-deploy-muted">
            {trans.__('The model has no signature, so that there is no form for its inputs.')}
          </p>
        )}
        <div className="pj-deploy-fields">
          {fields.map((field, index) => (
            <ColumnField
              key={field.name}
              id={`${names}-${index}`}
              index={index}
              field={field}
              text={texts[field.name] ?? ''}
              problem={problems[field.name]}
              trans={trans}
              onChange={text => {
                setTexts(before => ({ ...before, [field.name]: text }));
                setProblems(({ [field.name]: _mended, ...others }) => others);
              }}
            />
          ))}
        </div>
        <div className="pj-deploy-actions">
          <button
            type="submit"
            className="jp-mod-styled jp-mod-accept"
            disabled={fields.length === 0 || sending || closed !== undefined}
          >
            {sending ? trans.__('Sending…') : trans.__('Send request')}
          </button>
          {sample !== null && (
            <button
              type="button"
              className="pj-deploy-link"
              onClick={() => {
                setTexts(textsOf(fields, sample));
                setProblems({});
              }}
            >
              {trans.__('Fill with the sample row')}
            </button>
          )}
          {closed !== undefined && <span className="pj-deploy-muted">{closed}</span>}
        </div>
      </form>
      <div aria-live="polite">{outcome !== null && <OutcomeView {...{ outcome, trans }} />}</div>
    </div>
  );
}

function refusalOf(
  reply: InvokeReply,
  fields: readonly Field[],
  trans: TranslationBundle
): Outcome {
  return {
    kind: 'refusal',
    title: trans.__('The endpoint answered %1', reply.status),
    message: messageOf(reply.body),
    hint: '',
    column: columnOf(reply.body, fields)
  };
}

function failureOf(
  error: PerijoveError,
  fields: readonly Field[],
  trans: TranslationBundle
): Outcome {
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

interface ColumnFieldProps {
  id: string;
  index: number;
  field: Field;
  text: string;
  problem: string | undefined;
  trans: TranslationBundle;
  onChange: (text: string) => void;
}

function ColumnField(props: ColumnFieldProps): JSX.Element {
  const { id, field, text, problem, trans } = props;
  const common = {
    id,
    'data-column': props.index,
    'aria-invalid': problem !== undefined,
    'aria-describedby': problem === undefined ? undefined : `${id}-problem`
  };
  const kind = field.required
    ? typeWord(field.type)
    : trans.__('%1, optional', typeWord(field.type));
  return (
    <div className="pj-deploy-field">
      <label htmlFor={id} title={field.name}>
        <span className="pj-deploy-field-name">{field.name}</span>
        <span className="pj-deploy-muted">{kind}</span>
      </label>
      {field.type === 'BOOL' ? (
        <select
          {...common}
          className="jp-mod-styled"
          value={text.toLowerCase()}
          onChange={event => props.onChange(event.target.value)}
        >
          <option value="">{field.required ? trans.__('choose…') : trans.__('none')}</option>
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      ) : (
        <input
          {...common}
          className="jp-mod-styled"
          type="text"
          inputMode={
            field.type === 'BYTES' ? 'text' : field.type.startsWith('FP') ? 'decimal' : 'numeric'
          }
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={event => props.onChange(event.target.value)}
        />
      )}
      {problem !== undefined && (
        <span id={`${id}-problem`} className="pj-deploy-problem">
          {problem}
        </span>
      )}
    </div>
  );
}

function OutcomeView(props: { outcome: Outcome; trans: TranslationBundle }): JSX.Element {
  const { outcome, trans } = props;
  if (outcome.kind === 'refusal') {
    return (
      <Card tone="failed" title={outcome.title}>
        <p>{outcome.message}</p>
        {outcome.hint !== '' && <p className="pj-deploy-muted">{outcome.hint}</p>}
      </Card>
    );
  }
  const { reply } = outcome;
  const outputs = outputsOf(reply.body);
  return (
    <Card
      tone="ok"
      title={trans.__('Prediction')}
      aside={trans.__('%1 ms', reply.milliseconds.toPrecision(3))}
    >
      {outputs.length > 0 && (
        <dl className="pj-deploy-outputs">
          {outputs.map((output, index) => (
            <div key={index}>
              <dt>{output.name}</dt>
              <dd>
                {output.values.slice(0, SHOWN_VALUES).join(', ')}
                {output.values.length > SHOWN_VALUES &&
                  trans.__(' and %1 more', output.values.length - SHOWN_VALUES)}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <details open={outputs.length === 0}>
        <summary>{trans.__('Whole answer')}</summary>
        <pre className="pj-deploy-code" tabIndex={0}>
          {indent(reply.body)}
        </pre>
      </details>
      <p className="pj-deploy-muted">
        {trans.__('Prediction')} <code className="pj-deploy-id">{reply.prediction_id}</code>
      </p>
    </Card>
  );
}

interface CardProps {
  tone: 'ok' | 'failed';
  title: string;
  aside?: string;
  children: ReactNode;
}

function Card({ tone, title, aside, children }: CardProps): JSX.Element {
  return (
    <section className={`pj-deploy-card pj-mod-${tone}`}>
      <header>
        <strong>{title}</strong>
        {aside !== undefined && <span className="pj-deploy-number">{aside}</span>}
      </header>
      {children}
    </section>
  );
}
