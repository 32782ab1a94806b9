import { useEffect, useState } from 'react';

import type { Endpoint } from '../../api';
import { duration } from '../../kit/format';
import { useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { PHASES, phaseOf, phaseWord } from '../phase';

export interface ProgressProps {
  endpoint: Endpoint;
  /** When the click was, in milliseconds since the epoch. */
  since: number;
}

/** How far a deployment is, phase by phase. */
export function Progress({ endpoint, since }: ProgressProps): JSX.Element {
  const trans = useTrans();
  const phase = phaseOf(endpoint);
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 200);
    return () => clearInterval(timer);
  }, []);
  const at = PHASES.findIndex(one => one === phase);
  return (
    <div className="pj-Deploy-progress" role="status">
      <ol>
        {PHASES.map((one, index) => (
          <li key={one} aria-current={index === at ? 'step' : undefined}>
            <StateGlyph
              state={index < at ? 'ok' : index === at ? 'running' : 'not_started'}
              word
              label={phaseWord(one, trans)}
            />
          </li>
        ))}
      </ol>
      <p className="pj-Deploy-muted">
        {endpoint.detail}{' '}
        <span className="pj-Deploy-number" aria-hidden="true">
          {duration(Math.max(0, now - since))}
        </span>
      </p>
    </div>
  );
}
