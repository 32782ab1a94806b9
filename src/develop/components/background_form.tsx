import type { ReviewedCell } from '../../api';
import type { PerijoveError } from '../../api/errors';
import { classes } from '../../kit/classes';
import { ErrorView } from '../../kit/feedback';
import { CheckField, NumberField, SelectField, TextField } from '../../kit/form';
import { useTrans } from '../../kit/services';
import { firstLine } from '../cells';
import { isAmount, type IChoice, type IReviewed } from '../review';
import { Disorders } from './disorders';

/** The code of the kernel's refusal to send cells that lack names. */
const LACKING = 'names_missing';

export interface BackgroundFormProps {
  reviewed: IReviewed;
  choice: IChoice;
  /** Why it could not be sent as it was chosen before. */
  failure: PerijoveError | undefined;
  onChange: (choice: IChoice) => void;
}

/** Which cells go along with one that trains in the background, and what it may take. */
export default function BackgroundForm(props: BackgroundFormProps): JSX.Element {
  const { reviewed, choice, failure, onChange } = props;
  const { review, problems } = reviewed;
  const trans = useTrans();
  const force = {
    forced: choice.force,
    onForce: (forced: boolean) => onChange({ ...choice, force: forced })
  };
  const amount = (text: string, whole: boolean): { error?: string } =>
    isAmount(text, whole) ? {} : { error: trans.__('a number') };
  return (
    <div className="pj-Review-form">
      {failure?.code === LACKING ? (
        <Lacking lines={failure.message.split('\n').slice(1)} {...force} />
      ) : (
        failure !== undefined && <ErrorView error={failure} compact />
      )}
      <div className="pj-Review-fields">
        <TextField
          label={trans.__('Name of the run')}
          placeholder={trans.__('by itself')}
          value={choice.name}
          onChange={name => onChange({ ...choice, name })}
        />
        {review.executors.length > 1 && (
          <SelectField
            label={trans.__('Where')}
            value={choice.executor}
            options={[
              { value: '', label: trans.__('where the project says') },
              ...review.executors.map(name => ({ value: name, label: name }))
            ]}
            onChange={executor => onChange({ ...choice, executor })}
          />
        )}
        <NumberField
          label={trans.__('CPUs')}
          placeholder={trans.__('1 of %1', review.cpus)}
          value={choice.cpus}
          onChange={cpus => onChange({ ...choice, cpus })}
          {...amount(choice.cpus, false)}
        />
        {(review.gpus > 0 || review.executors.length > 1) && (
          <NumberField
            label={trans.__('GPUs')}
            placeholder={trans.__('0 of %1', review.gpus)}
            value={choice.gpus}
            onChange={gpus => onChange({ ...choice, gpus })}
            {...amount(choice.gpus, true)}
          />
        )}
      </div>
      <p className="pj-Review-lead">
        {review.cells.length === 0
          ? trans.__('No other cell ran in this kernel: the cell trains alone, in a new process.')
          : trans.__(
              'These cells run first, in a new process, in the order in which they ran here. Then the cell trains.'
            )}
      </p>
      {review.cells.length > 0 && (
        <ul className="pj-Review-cells" aria-label={trans.__('Cells that go along')}>
          {review.cells.map(cell => (
            <Row
              key={cell.number}
              cell={cell}
              chosen={choice.numbers.has(cell.number)}
              onChange={chosen => {
                const numbers = new Set(choice.numbers);
                if (chosen) {
                  numbers.add(cell.number);
                } else {
                  numbers.delete(cell.number);
                }
                onChange({ ...choice, numbers });
              }}
            />
          ))}
        </ul>
      )}
      {problems.length > 0 && failure?.code !== LACKING && <Lacking lines={problems} {...force} />}
      <Disorders items={review.disorder} />
    </div>
  );
}

/** The names that the cells that go along use and do not define. */
function Lacking(props: {
  lines: readonly string[];
  forced: boolean;
  onForce: (forced: boolean) => void;
}): JSX.Element {
  const trans = useTrans();
  return (
    <div className="pj-Note" role="alert">
      <strong>{trans.__('The cells that go along lack names')}</strong>
      <ul className="pj-Review-problems">
        {props.lines.map(line => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <CheckField
        label={trans.__('Send it all the same')}
        checked={props.forced}
        onChange={props.onForce}
      />
    </div>
  );
}

function Row(props: {
  cell: ReviewedCell;
  chosen: boolean;
  onChange: (chosen: boolean) => void;
}): JSX.Element {
  const { cell, chosen, onChange } = props;
  return (
    <li className={classes('pj-Review-cell', !chosen && 'pj-mod-out')}>
      <label title={cell.source}>
        <input
          type="checkbox"
          checked={chosen}
          onChange={event => onChange(event.target.checked)}
        />
        <span className="pj-CodeCell-number">[{cell.number}]:</span>
        <code className="pj-Ellipsis">{firstLine(cell.source)}</code>
        {cell.reason !== '' && <span className="pj-Review-reason">{cell.reason}</span>}
      </label>
    </li>
  );
}
