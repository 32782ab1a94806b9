import type { FormEvent } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

import type { GateCheck } from '../../api';
import { Button } from '../../kit/button';
import { TextAreaField, TextField } from '../../kit/form';
import { useTrans } from '../../kit/services';

/** Characters of a reason; the server refuses fewer. */
const MIN_REASON = 8;

export interface OverrideProps {
  /** The checks that would be passed over; at least one. */
  checks: readonly GateCheck[];
  /** What the action deploys and where, such as "builds@3 to builds". */
  what: string;
  /** Why it cannot be done now, apart from the gate; undefined when it can. */
  closed?: string | undefined;
  busy: boolean;
  onOverride: (by: string, reason: string) => void;
}

/** The way past a closed gate: a text link that opens a signature and its consequence. */
export function OverrideForm(props: OverrideProps): JSX.Element {
  const { checks } = props;
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  const [by, setBy] = useState('');
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();

  useEffect(() => {
    if (open) {
      form.current?.querySelector('input')?.focus();
    }
  }, [open]);

  const noName = by.trim() === '' ? trans.__('Sign with your name.') : undefined;
  const noReason =
    reason.trim().length < MIN_REASON ? trans.__('Say why, in a sentence.') : undefined;

  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (noName === undefined && noReason === undefined && props.closed === undefined) {
      props.onOverride(by.trim(), reason.trim());
    }
  };

  return (
    <div className="pj-Deploy-override">
      <Button look="link" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {open ? trans.__('Do not override') : trans.__('Override the gate…')}
      </Button>
      {open && (
        <form
          ref={form}
          id={id}
          noValidate
          className="pj-Deploy-overrideForm"
          onSubmit={onSubmit}
          aria-label={trans.__('Override the gate')}
        >
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
            label={trans.__('Your name')}
            autoComplete="name"
            value={by}
            onChange={setBy}
            error={tried ? noName : undefined}
          />
          <TextAreaField
            label={trans.__('Reason')}
            rows={2}
            value={reason}
            onChange={setReason}
            error={tried ? noReason : undefined}
          />
          <Button
            type="submit"
            look="warn"
            className="pj-Deploy-wide"
            busy={props.busy}
            disabled={props.closed !== undefined}
            title={props.closed ?? trans.__('Override and deploy %1', props.what)}
          >
            <span>{trans.__('Override and deploy %1', props.what)}</span>
          </Button>
        </form>
      )}
    </div>
  );
}
