import { useSyncExternalStore } from 'react';

import { perijoveIcon } from '../../kit/icons';
import { StateGlyph, conditionWord, useTrans } from '../../kit';
import type { LifecycleModel } from '../model';
import { tellingStep, worstState } from '../model';
import { stepName } from './names';

/** The most pressing state of all steps, and what runs. */
export function StatusItem(props: { model: LifecycleModel; onClick: () => void }): JSX.Element {
  const { model, onClick } = props;
  const trans = useTrans();
  const { data, error } = useSyncExternalStore(model.subscribe, model.read);
  const steps = data?.steps ?? [];
  const state = error !== undefined ? 'failed' : worstState(steps);
  const step = error === undefined ? tellingStep(steps) : undefined;
  const running = steps.find(one => one.state === 'running');
  const fact = error?.message ?? step?.fact ?? '';
  const word = conditionWord(state, trans);
  const where = step === undefined ? trans.__('Perijove') : stepName(step.step, trans);
  return (
    <button
      type="button"
      className="pj-StatusItem jp-mod-highlighted"
      title={trans.__('Perijove: %1', [where, word, fact].filter(Boolean).join(' · '))}
      onClick={onClick}
    >
      <perijoveIcon.react tag="span" className="pj-StatusItem-icon" />
      <StateGlyph state={state} />
      {running !== undefined && state !== 'running' && <StateGlyph state="running" />}
      {step !== undefined && step.state !== 'ok' && step.state !== 'not_started' && (
        <span className="pj-StatusItem-fact">{step.fact}</span>
      )}
    </button>
  );
}
