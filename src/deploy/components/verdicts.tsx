import type { KpiVerdict, Override } from '../../api';
import { absolute, figure, full } from '../../kit/format';
import { useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';

/** The numbers that Perijove measured of a model, against their targets. */
export function Verdicts({ verdicts }: { verdicts: readonly KpiVerdict[] }): JSX.Element {
  const trans = useTrans();
  if (verdicts.length === 0) {
    return <StateGlyph state="unmeasured" word />;
  }
  return (
    <ul className="pj-Deploy-verdicts">
      {verdicts.map(verdict => {
        const where = trans.__('Measured on %1, split %2', verdict.data, verdict.split);
        return (
          <li
            key={`${verdict.metric} ${verdict.data} ${verdict.split}`}
            title={`${where}: ${full(verdict.value)}`}
          >
            <StateGlyph
              state={verdict.leaks.length > 0 ? 'leaks' : verdict.met ? 'met' : 'missed'}
              word
            />
            <span className="pj-Deploy-number">
              {verdict.metric} {figure(verdict.value)}
            </span>
            <span className="pj-Deploy-muted">{trans.__('target %1', figure(verdict.target))}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** Says wherever an endpoint is shown that its gate was passed over, by whom and why. */
export function OverrideBanner({ override }: { override: Override }): JSX.Element {
  const trans = useTrans();
  return (
    <div className="pj-Deploy-overridden" role="note">
      <StateGlyph state="attention" label={trans.__('Gate overridden')} />
      <div>
        <p>
          <strong>{trans.__('Overridden by %1:', override.by)}</strong> {override.reason}
        </p>
        <p className="pj-Deploy-muted" title={absolute(override.at)}>
          {trans.__('Passed over: %1', override.failed.map(id => id.replace(/_/g, ' ')).join(', '))}
        </p>
      </div>
    </div>
  );
}
