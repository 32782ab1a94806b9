import type { RunRow, RunSummary, Trans } from '../../api';
import { figure } from '../../kit/format';
import { useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { Figure } from '../../kit/values';
import { verdictOf } from '../figures';
import { isMet, type ITarget } from '../target';

/** Whether a run meets its targets, as a word of four letters. */
export function VerdictBadge(props: { run: RunSummary; word?: boolean }): JSX.Element {
  const verdict = verdictOf(props.run);
  return (
    <VerdictWord verdict={verdict === 'unmeasured' ? '' : verdict} word={props.word ?? true} />
  );
}

/** The same, of what the table of runs says. */
export function VerdictWord(props: { verdict: RunRow['verdict']; word?: boolean }): JSX.Element {
  const { verdict, word = true } = props;
  const trans = useTrans();
  switch (verdict) {
    case '':
      return (
        <span className="pj-mod-quiet" title={trans.__('No target was measured for this run')}>
          –
        </span>
      );
    case 'leaks':
      return <StateGlyph state="leaks" word={word} />;
    case 'met':
      return <StateGlyph state="met" label={trans.__('pass')} word={word} />;
    case 'missed':
      return <StateGlyph state="missed" label={trans.__('fail')} word={word} />;
  }
}

/** `roc_auc 0.71 on builds test, target ≥ 0.75, short by 0.04`. */
export function TargetLine({ target }: { target: ITarget }): JSX.Element {
  const trans = useTrans();
  const sign = target.direction === 'maximize' ? '≥' : '≤';
  return (
    <span className="pj-Target">
      {target.measured && <StateGlyph state={isMet(target) ? 'met' : 'missed'} />}
      <span className="pj-Target-metric">{target.metric}</span>
      <strong className="pj-Target-value">
        <Figure value={target.value} />
      </strong>
      {target.on !== '' && <span className="pj-mod-quiet">{trans.__('on %1', target.on)}</span>}
      <span className="pj-mod-quiet">{trans.__('target %1 %2', sign, figure(target.target))}</span>
      <span>{distance(target, trans)}</span>
    </span>
  );
}

function distance(target: ITarget, trans: Trans): string {
  if (Number.isNaN(target.short)) {
    return trans.__('no number');
  }
  if (!target.measured) {
    return trans.__('logged, not measured');
  }
  if (target.leaks.length > 0) {
    return trans.__('worth nothing: %1 tell the answer', target.leaks.join(', '));
  }
  if (target.short > 0) {
    return trans.__('short by %1', figure(target.short));
  }
  return trans.__('met');
}
