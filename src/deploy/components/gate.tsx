import { useEffect, useState } from 'react';

import type { Gate, GateCheck } from '../../api';
import { useTrans } from '../../kit/services';
import { StateGlyph, conditionWord } from '../../kit/state';
import { blocking, inReadingOrder, verdict } from '../gate';

/** Columns, files or runs of one check that are shown before "and n more". */
const SHOWN_ITEMS = 12;

export interface GateChecklistProps {
  gate: Gate;
  /** Identifiers of checks that were passed over when the model was deployed. */
  passedOver?: readonly string[];
}

/** The gate as a checklist: what blocks it is first, and open. */
export function GateChecklist({ gate, passedOver = [] }: GateChecklistProps): JSX.Element {
  const trans = useTrans();
  return (
    <div className="pj-Deploy-gate">
      <p className="pj-Deploy-gateVerdict">
        <StateGlyph
          state={blocking(gate).length === 0 ? 'pass' : 'fail'}
          word
          label={verdict(gate, trans)}
        />
      </p>
      <ul className="pj-Deploy-checks" aria-label={trans.__('Checks')}>
        {inReadingOrder(gate).map(check => (
          <CheckLine key={check.id} check={check} passedOver={passedOver.includes(check.id)} />
        ))}
      </ul>
    </div>
  );
}

function CheckLine(props: { check: GateCheck; passedOver: boolean }): JSX.Element {
  const { check, passedOver } = props;
  const trans = useTrans();
  const blocks = check.state !== 'pass';
  const [open, setOpen] = useState(blocks);
  useEffect(() => setOpen(blocks), [blocks]);
  const shown = check.items.slice(0, SHOWN_ITEMS);
  return (
    <li className={`pj-Deploy-check pj-mod-${check.state}`} data-check={check.id}>
      <details open={open} onToggle={event => setOpen(event.currentTarget.open)}>
        <summary>
          <StateGlyph state={check.state} />
          <span className="pj-Deploy-checkTitle" title={check.title}>
            {check.title}
          </span>
          <span className="pj-Deploy-checkWord" aria-hidden="true">
            {passedOver
              ? trans.__('%1, passed over', conditionWord(check.state, trans))
              : conditionWord(check.state, trans)}
          </span>
        </summary>
        <div className="pj-Deploy-checkBody">
          {check.detail !== '' && <p>{check.detail}</p>}
          {shown.length > 0 && (
            <ul className="pj-Deploy-chips">
              {shown.map(item => (
                <li key={item}>
                  <code title={item}>{item}</code>
                </li>
              ))}
              {check.items.length > shown.length && (
                <li className="pj-Deploy-muted">
                  {trans.__('and %1 more', check.items.length - shown.length)}
                </li>
              )}
            </ul>
          )}
          {blocks && check.fix !== '' && (
            <p>
              <strong>{trans.__('To mend it:')}</strong> {check.fix}
            </p>
          )}
        </div>
      </details>
    </li>
  );
}
