import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useRef, useState, type FormEvent } from 'react';

import type { GateCheck } from '../../api';

export interface OverrideProps {
  /** The checks that would be passed over; at least one. */
  checks: readonly GateCheck[];
  /** What the action deploys and where, such as "builds@3 to builds". */
  what: string;
  /** Why it cannot be done now, apart from the gate; undefined when it can. */
  closed?: string | undefined;
  busy: boolean;
  onOverride: (by: string, reason: string) => void;
  trans: TranslationBundle;
}

/** The way past a closed gate: a text link that opens a signature and its consequence. */
export function OverrideForm(props: OverrideProps): JSX.Element {
  const { checks, trans } = props;
  const [open, setOpen] = useState(false);
  const [by, setBy] = useState('');
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const id = useId();

  useEffect(() => {
    if (open) {
      first.current?.focus();
    }
  }, [open]);

  const noName = by.trim() === '' ? trans.__('Sign with your name.') : undefined;
  const noReason = reason.trim() === '' ? trans.__('Say why, in a sentence.') : undefined;

  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (noName === undefined && noReason === undefined && props.closed === undefined) {
      props.onOverride(by.trim(), reason.trim());
    }
  };

  return (
    <div className="pj-deploy-override">
      <button
        type="button"
        className="pj-deploy-link"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {open ? trans.__('Do not override') : trans.__('Override the gate…')}
      </button>
      {open && (
        <form id={id} noValidate className="pj-deploy-override-form" onSubmit={onSubmit}>
          <p>
            {trans._n(
              'This deploys the model although %1 check does not pass:',
              'This deploys the model although %1 checks do not pass:',
              checks.length
            )}
          </p>
          <ul>
            {checks.map(check => (
              <li key={check.id}>{check.title}</li>
            ))}
          </ul>
          <p>
            {trans.__(
              'Your name and your reason are written to the audit, and shown wherever the endpoint is shown.'
            )}
          </p>
          <TextField
            id={`${id}-by`}
            label={trans.__('Your name')}
            problem={tried ? noName : undefined}
          >
            {aria => (
              <input
                {...aria}
                ref={first}
                type="text"
                className="jp-mod-styled"
                autoComplete="name"
                value={by}
                onChange={event => setBy(event.target.value)}
              />
            )}
          </TextField>
          <TextField
            id={`${id}-reason`}
            label={trans.__('Reason')}
            problem={tried ? noReason : undefined}
          >
            {aria => (
              <textarea
                {...aria}
                rows={2}
                className="jp-mod-styled"
                value={reason}
                onChange={event => setReason(event.target.value)}
              />
            )}
          </TextField>
          <button
            type="submit"
            className="jp-mod-styled jp-mod-warn pj-deploy-wide"
            disabled={props.busy || props.closed !== undefined}
            title={props.closed}
          >
            {trans.__('Override and deploy %1', props.what)}
          </button>
        </form>
      )}
    </div>
  );
}

export interface FieldAria {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
}

export interface TextFieldProps {
  id: string;
  label: string;
  problem?: string | undefined;
  children: (aria: FieldAria) => JSX.Element;
}

/** A label, its control, and what is wrong with it. */
export function TextField({ id, label, problem, children }: TextFieldProps): JSX.Element {
  return (
    <div className="pj-deploy-field">
      <label htmlFor={id}>
        <span className="pj-deploy-field-name">{label}</span>
      </label>
      {children({
        id,
        'aria-invalid': problem !== undefined,
        'aria-describedby': problem === undefined ? undefined : `${id}-problem`
      })}
      {problem !== undefined && (
        <span id={`${id}-problem`} className="pj-deploy-problem">
          {problem}
        </span>
      )}
    </div>
  );
}
