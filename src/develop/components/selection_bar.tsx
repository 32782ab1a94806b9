import { useState } from 'react';

import { Button } from '../../kit/button';
import { TextField } from '../../kit/form';
import { count } from '../../kit/format';
import { Popover } from '../../kit/popover';
import { useTrans } from '../../kit/services';

export interface SelectionBarProps {
  chosen: number;
  /** Runs, or groups, that match, and the runs that there are. */
  total: number;
  runs: number;
  grouped: boolean;
  deleted: boolean;
  /** Tags that runs have already. */
  tags: readonly string[];
  onClear: () => void;
  onCompare: () => void;
  onStar: () => void;
  onPin: () => void;
  onTag: (key: string, value: string) => Promise<boolean>;
  onUntag: (key: string) => Promise<boolean>;
  onNote: () => void;
  onDelete: () => void;
  onRestore: () => void;
  onExport: () => void;
}

/** How many runs there are, and what can be done with those that are chosen. */
export function SelectionBar(props: SelectionBarProps): JSX.Element {
  const { chosen, total, runs, grouped, deleted } = props;
  const trans = useTrans();
  const all = grouped
    ? trans._n('%2 group', '%2 groups', total, count(total))
    : total === runs
      ? trans._n('%2 run', '%2 runs', runs, count(runs))
      : trans.__('%1 of %2 runs', count(total), count(runs));
  return (
    <div className="pj-SelectionBar" role="toolbar" aria-label={trans.__('Chosen runs')}>
      <span className="pj-SelectionBar-count" role="status">
        {chosen === 0 ? all : trans.__('%1 chosen · %2', count(chosen), all)}
      </span>
      {chosen === 0 ? (
        <span className="pj-SelectionBar-help">
          {trans.__('Space chooses a run, Enter opens it, / searches')}
        </span>
      ) : deleted ? (
        <Button look="link" onClick={props.onRestore}>
          {trans.__('Restore')}
        </Button>
      ) : (
        <>
          <Button
            look="link"
            disabled={chosen < 2}
            title={trans.__('Side by side (C); two to twenty runs')}
            onClick={props.onCompare}
          >
            {trans.__('Compare')}
          </Button>
          <Button look="link" onClick={props.onStar}>
            {trans.__('Star')}
          </Button>
          <Button look="link" onClick={props.onPin}>
            {trans.__('Pin')}
          </Button>
          <Popover label={trans.__('Tag')}>
            {close => <TagForm {...props} onDone={close} />}
          </Popover>
          <Button look="link" onClick={props.onNote}>
            {trans.__('Note')}
          </Button>
          <Button look="link" onClick={props.onDelete}>
            {trans.__('Delete…')}
          </Button>
        </>
      )}
      <span className="pj-SelectionBar-space" />
      <Button look="link" onClick={props.onExport}>
        {chosen === 0 ? trans.__('Export CSV') : trans.__('Export')}
      </Button>
      {chosen > 0 && (
        <Button look="link" onClick={props.onClear}>
          {trans.__('Clear')}
        </Button>
      )}
    </div>
  );
}

function TagForm(
  props: Pick<SelectionBarProps, 'chosen' | 'tags' | 'onTag' | 'onUntag'> & { onDone: () => void }
): JSX.Element {
  const { chosen, tags, onTag, onUntag, onDone } = props;
  const trans = useTrans();
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const name = key.trim();
  const finish = (done: Promise<boolean>): void => void done.then(ok => ok && onDone());
  return (
    <form
      className="pj-FilterEditor"
      onSubmit={event => {
        event.preventDefault();
        if (name !== '') {
          finish(onTag(name, value.trim()));
        }
      }}
    >
      <TextField label={trans.__('Tag')} value={key} suggestions={tags} onChange={setKey} />
      <TextField
        label={trans.__('Value')}
        help={trans._n('For %2 run', 'For %2 runs', chosen, count(chosen))}
        value={value}
        onChange={setValue}
      />
      <div className="pj-FilterEditor-actions">
        <Button look="link" disabled={!tags.includes(name)} onClick={() => finish(onUntag(name))}>
          {trans.__('Remove tag')}
        </Button>
        <Button look="accept" type="submit" disabled={name === ''}>
          {trans.__('Add tag')}
        </Button>
      </div>
    </form>
  );
}
