import type { StepStatus } from '../../api';
import { StateGlyph, useServices, useTrans } from '../../kit';

/** The five steps as one line from left to right, each a click. */
export function Chain({ steps }: { steps: readonly StepStatus[] }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const names: Record<StepStatus['step'], string> = {
    problem: trans.__('Problem'),
    data: trans.__('Data'),
    develop: trans.__('Develop'),
    deploy: trans.__('Deploy'),
    monitor: trans.__('Monitor'),
    operate: trans.__('Operate')
  };
  return (
    <ol className="pj-Chain">
      {steps.map(step => (
        <li key={step.step} className="pj-Chain-item">
          <button
            type="button"
            className="pj-Chain-node"
            title={[names[step.step], step.fact].filter(Boolean).join('\n')}
            onClick={() => void commands.execute(`perijove:open-${step.step}`)}
          >
            <span className="pj-Chain-head">
              <span className="pj-Chain-name">{names[step.step]}</span>
              <StateGlyph state={step.state} />
            </span>
            <span className="pj-Chain-fact">{step.fact === '' ? step.next : step.fact}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
