import { useState } from 'react';

import type { ColumnProfile, Dataset, Task, ViewSpec } from '../../api';
import { Button } from '../../kit/button';
import { Chip } from '../../kit/chip';
import { describe, type Condition } from '../../kit/conditions';
import { Popover, PopoverPanel } from '../../kit/popover';
import { useTrans } from '../../kit/services';
import type { ViewState } from '../view';
import { ColumnChooser } from './column_chooser';
import { ExportForm } from './export_form';
import { FilterEditor } from './filter_editor';
import { ViewCode } from './view_code';

export interface ViewBarProps {
  name: string;
  columns: Dataset['facts']['columns'];
  profiles: ReadonlyMap<string, ColumnProfile>;
  state: ViewState;
  spec: ViewSpec;
  onChange: (state: ViewState) => void;
  onFind: () => void;
  onExport: (task: Task) => void;
  /** A column to begin a new filter with, when a header's menu asked for one. */
  asked: string | null;
  onAsked: (column: string | null) => void;
}

/** What is filtered and sorted, as chips; and what can be done with the view. */
export function ViewBar(props: ViewBarProps): JSX.Element {
  const { name, columns, profiles, state, spec, onChange, onFind, onExport, asked, onAsked } =
    props;
  const trans = useTrans();
  const [edited, setEdited] = useState<number | null>(null);
  const { conditions, sort, hidden } = state;
  const setConditions = (next: readonly Condition[]): void =>
    onChange({ ...state, conditions: next });
  return (
    <div className="pj-ViewBar" role="toolbar" aria-label={trans.__('View')}>
      <Popover
        label={trans.__('Filter')}
        open={asked !== null}
        onOpenChange={open => onAsked(open ? '' : null)}
      >
        {close => (
          <FilterEditor
            key={asked}
            columns={columns}
            profiles={profiles}
            start={asked ?? ''}
            onDone={condition => {
              setConditions([...conditions, condition]);
              close();
            }}
          />
        )}
      </Popover>
      {conditions.map((condition, index) => (
        <Chip
          key={`${index} ${describe(condition, trans)}`}
          text={describe(condition, trans)}
          removal={trans.__('Remove the filter on %1', condition.column)}
          onClick={() => setEdited(edited === index ? null : index)}
          onRemove={() => setConditions(conditions.filter((_, other) => other !== index))}
        >
          {(place, focus) =>
            edited === index && (
              <PopoverPanel
                label={trans.__('Filter on %1', condition.column)}
                place={place}
                onClose={() => {
                  setEdited(null);
                  focus();
                }}
                onLeave={() => setEdited(null)}
              >
                <FilterEditor
                  columns={columns}
                  profiles={profiles}
                  condition={condition}
                  onDone={changed => {
                    setConditions(
                      conditions.map((old, other) => (other === index ? changed : old))
                    );
                    setEdited(null);
                  }}
                  onCancel={() => setEdited(null)}
                />
              </PopoverPanel>
            )
          }
        </Chip>
      ))}
      {conditions.length > 1 && (
        <Button
          look="link"
          title={trans.__('Whether all filters must hold, or one is enough')}
          onClick={() => onChange({ ...state, any: !state.any })}
        >
          {state.any ? trans.__('any of them') : trans.__('all of them')}
        </Button>
      )}
      {sort.map(({ column, descending }) => (
        <Chip
          key={`sort ${column}`}
          text={`${descending ? '▼' : '▲'} ${column}`}
          removal={trans.__('Do not sort by %1', column)}
          onClick={() =>
            onChange({
              ...state,
              sort: sort.map(key =>
                key.column === column ? { column, descending: !descending } : key
              )
            })
          }
          onRemove={() => onChange({ ...state, sort: sort.filter(key => key.column !== column) })}
          quiet
        />
      ))}
      {conditions.length + sort.length > 1 && (
        <Button look="link" onClick={() => onChange({ ...state, conditions: [], sort: [] })}>
          {trans.__('Clear')}
        </Button>
      )}
      <span className="pj-ViewBar-space" />
      <Button onClick={onFind} title={trans.__('Find in all rows (Ctrl F in the grid)')}>
        {trans.__('Find')}
      </Button>
      <Popover label={trans.__('Columns')} count={hidden.length} align="end">
        {() => (
          <ColumnChooser
            columns={columns}
            hidden={hidden}
            onChange={next => onChange({ ...state, hidden: next })}
          />
        )}
      </Popover>
      <Popover label={trans.__('Code')} align="end">
        {() => <ViewCode name={name} view={spec} />}
      </Popover>
      <Popover label={trans.__('Export')} align="end">
        {close => (
          <ExportForm
            name={name}
            view={spec}
            onStarted={task => {
              onExport(task);
              close();
            }}
          />
        )}
      </Popover>
    </div>
  );
}
