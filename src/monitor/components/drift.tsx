import { useId, useState } from 'react';

import type { FeatureDrift, State } from '../../api';
import { StateGlyph, figure, full, useTrans } from '../../kit';
import { PSI_DRIFTED, PSI_FULL, PSI_MODERATE, byDrift, driftState, driftWord } from '../report';
import { Histogram } from './histogram';

/** Features that are shown before one asks for all. */
const SHOWN = 20;

export interface DriftTableProps {
  drift: readonly FeatureDrift[];
}

/** How far each feature is from its training data, worst first; a row opens its histogram. */
export function DriftTable({ drift }: DriftTableProps): JSX.Element {
  const trans = useTrans();
  const [all, setAll] = useState(false);
  const sorted = byDrift(drift);
  const shown = all ? sorted : sorted.slice(0, SHOWN);
  return (
    <>
      <ul className="pj-Monitor-drift" aria-label={trans.__('Drift by feature')}>
        {shown.map(one => (
          <DriftRow key={one.feature} drift={one} />
        ))}
      </ul>
      {sorted.length > shown.length && (
        <button type="button" className="pj-Link" onClick={() => setAll(true)}>
          {trans.__('Show all %1 features', sorted.length)}
        </button>
      )}
    </>
  );
}

function DriftRow({ drift }: { drift: FeatureDrift }): JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  const id = useId();
  const word = driftWord(drift, trans);
  return (
    <li>
      <button
        type="button"
        className="pj-Monitor-driftRow"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <span className="pj-Monitor-twisty" aria-hidden="true" />
        <span className="pj-Monitor-feature" title={drift.feature}>
          {drift.feature}
        </span>
        <PsiBar psi={drift.psi} state={driftState(drift.state)} />
        <span className="pj-Monitor-psi" title={full(drift.psi)}>
          {figure(drift.psi)}
        </span>
        <StateGlyph state={driftState(drift.state)} word label={word} />
      </button>
      <div id={id} hidden={!open} className="pj-Monitor-driftBody">
        {open &&
          (drift.bins.length > 0 ? (
            <Histogram drift={drift} />
          ) : (
            <p className="pj-Monitor-muted">
              {trans.__('The training data has no profile of this feature.')}
            </p>
          ))}
      </div>
    </li>
  );
}

/** The index as a bar, with marks where it becomes moderate and where it is drift. */
function PsiBar({ psi, state }: { psi: number | null; state: State }): JSX.Element {
  const trans = useTrans();
  const place = (value: number): string => `${Math.min(100, (value / PSI_FULL) * 100)}%`;
  return (
    <span
      className="pj-Monitor-psiBar"
      title={trans.__(
        'Population stability index: moderate from %1 and drifted from %2, unless so few rows explain it',
        PSI_MODERATE,
        PSI_DRIFTED
      )}
    >
      {psi !== null && (
        <span className={`pj-Monitor-psiFill pj-mod-${state}`} style={{ width: place(psi) }} />
      )}
      <span className="pj-Monitor-psiMark" style={{ insetInlineStart: place(PSI_MODERATE) }} />
      <span className="pj-Monitor-psiMark" style={{ insetInlineStart: place(PSI_DRIFTED) }} />
    </span>
  );
}
