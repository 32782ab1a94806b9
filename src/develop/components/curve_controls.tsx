import { CheckField, SelectField } from '../../kit/form';
import { useTrans } from '../../kit/services';
import type { CurveLook } from '../curve_look';
import type { XAxis } from '../lines_of';

export interface CurveControlsProps {
  look: CurveLook;
  onLook: (change: Partial<CurveLook>) => void;
  zoomed: boolean;
  onZoomOut: () => void;
}

/** What is shown of the curves, and how. */
export function CurveControls(props: CurveControlsProps): JSX.Element {
  const { look, onLook } = props;
  const trans = useTrans();
  return (
    <div className="pj-CurveControls" role="toolbar" aria-label={trans.__('Curves')}>
      <input
        type="search"
        className="jp-mod-styled pj-Input pj-CurveControls-find"
        placeholder={trans.__('Find a metric')}
        aria-label={trans.__('Find a metric')}
        value={look.find}
        onChange={event => onLook({ find: event.target.value })}
      />
      <label className="pj-CurveControls-smoothing" title={trans.__('Smooth the curves')}>
        <span>{trans.__('Smoothing')}</span>
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={look.smoothing}
          onChange={event => onLook({ smoothing: Number(event.target.value) })}
        />
        <output>{look.smoothing.toFixed(2)}</output>
      </label>
      <SelectField
        bare
        label={trans.__('x axis')}
        value={look.by}
        options={[
          { value: 'step', label: trans.__('steps') },
          { value: 'relative', label: trans.__('since the start') },
          { value: 'time', label: trans.__('time of day') }
        ]}
        onChange={value => onLook({ by: value as XAxis })}
      />
      <CheckField label={trans.__('log')} checked={look.log} onChange={log => onLook({ log })} />
      {props.zoomed && (
        <button type="button" className="pj-Link" onClick={props.onZoomOut}>
          {trans.__('Show all')}
        </button>
      )}
    </div>
  );
}
