import type { RefObject } from 'react';
import { useMemo, useState } from 'react';

import type { RunColumn } from '../../api';
import { Button } from '../../kit/button';
import { Chip } from '../../kit/chip';
import { describe, type Condition } from '../../kit/conditions';
import { FilterEditor, type FilterColumn } from '../../kit/filter_editor';
import { SelectField } from '../../kit/form';
import { Popover, PopoverPanel } from '../../kit/popover';
import { useTrans } from '../../kit/services';
import { isSystem, partsOf, type RunsLook } from '../look';
import { columnTitle, kindTitle } from '../names';
import { Chooser } from './chooser';
import { SearchBox } from './search_box';

export interface RunsToolbarProps {
  look: RunsLook;
  onLook: (change: Partial<RunsLook>) => void;
  columns: readonly RunColumn[];
  shown: readonly string[];
  fault: string;
  box: RefObject<HTMLInputElement>;
  /** The notebook that the user is in. */
  here: string | null;
}

/** More columns than these cannot be grouped by from a list. */
const GROUPS = 100;

/** What is searched, filtered, grouped and shown of the runs. */
export function RunsToolbar(props: RunsToolbarProps): JSX.Element {
  const { look, onLook, columns, shown, here } = props;
  const trans = useTrans();
  const [edited, setEdited] = useState<number | null>(null);
  const names = useMemo(() => columns.map(({ column }) => column), [columns]);
  const asked = useMemo<FilterColumn[]>(
    () =>
      columns
        .filter(({ column }) => !isSystem(partsOf(column).key))
        .map(({ column, kind }) => ({
          name: column,
          kind: column.startsWith('params.') ? 'text' : kind,
          ...(column === 'attributes.verdict' && { suggestions: ['met', 'missed', 'leaks'] })
        })),
    [columns]
  );
  const { conditions } = look;
  const set = (next: readonly Condition[]): void =>
    onLook({ conditions: next.map(one => ({ ...one, values: [...one.values] })) });
  const ofHere: Condition | null =
    here === null ? null : { column: 'attributes.notebook', operator: '=', values: [here] };
  const isOfHere = conditions.some(
    one => one.column === 'attributes.notebook' && one.values[0] === here
  );
  return (
    <div className="pj-RunsToolbar" role="toolbar" aria-label={trans.__('Runs')}>
      <SearchBox
        value={look.search}
        onSearch={search => onLook({ search })}
        fault={props.fault}
        columns={names}
        box={props.box}
      />
      <Popover label={trans.__('Filter')}>
        {close => (
          <FilterEditor
            columns={asked}
            onDone={condition => {
              set([...conditions, condition]);
              close();
            }}
          />
        )}
      </Popover>
      <SelectField
        bare
        label={trans.__('Group by')}
        value={look.group}
        options={groupOptions(columns, look.group).map(value => ({
          value,
          label: value === '' ? trans.__('Not grouped') : trans.__('by %1', groupName(value))
        }))}
        onChange={group => onLook({ group })}
      />
      <Popover label={trans.__('Columns')} align="end">
        {() => (
          <Chooser
            columns={columns}
            shown={new Set(shown)}
            onChange={(changed, on) =>
              onLook({
                shown: { ...look.shown, ...Object.fromEntries(changed.map(one => [one, on])) }
              })
            }
            onReset={() => onLook({ shown: {}, widths: {} })}
          />
        )}
      </Popover>
      <Button
        aria-pressed={look.deleted}
        title={trans.__('Runs that were deleted, to be restored')}
        className={look.deleted ? 'pj-mod-pressed' : undefined}
        onClick={() => onLook({ deleted: !look.deleted })}
      >
        {trans.__('Deleted')}
      </Button>
      {(conditions.length > 0 || ofHere !== null) && (
        <div className="pj-RunsToolbar-chips">
          {ofHere !== null && !isOfHere && (
            <Button look="link" title={here ?? ''} onClick={() => set([...conditions, ofHere])}>
              {trans.__('Only of this notebook')}
            </Button>
          )}
          {conditions.map((condition, index) => (
            <Chip
              key={`${index} ${describe(condition, trans)}`}
              text={describe(condition, trans)}
              removal={trans.__('Remove the filter on %1', condition.column)}
              onClick={() => setEdited(edited === index ? null : index)}
              onRemove={() => set(conditions.filter((_, other) => other !== index))}
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
                      columns={asked}
                      condition={condition}
                      onDone={changed => {
                        set(conditions.map((old, other) => (other === index ? changed : old)));
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
            <>
              <Button
                look="link"
                title={trans.__('Whether all filters must hold, or one is enough')}
                onClick={() => onLook({ any: !look.any })}
              >
                {look.any ? trans.__('any of them') : trans.__('all of them')}
              </Button>
              <Button look="link" onClick={() => onLook({ conditions: [] })}>
                {trans.__('Clear')}
              </Button>
            </>
          )}
        </div>
      )}
    </div>
  );

  function groupName(column: string): string {
    const { kind } = partsOf(column);
    const title = columnTitle(column, trans);
    return kind === 'attributes' ? title : `${title} · ${kindTitle(kind, trans)}`;
  }
}

/** What runs can be put together by: what tells them apart and is no number of its own. */
function groupOptions(columns: readonly RunColumn[], chosen: string): string[] {
  const found = columns
    .filter(({ column, telling }) => {
      const { kind, key } = partsOf(column);
      return kind === 'attributes'
        ? ['notebook', 'status', 'verdict', 'user_id'].includes(key)
        : telling && kind !== 'metrics';
    })
    .slice(0, GROUPS)
    .map(({ column }) => column);
  return ['', ...new Set(chosen === '' ? found : [chosen, ...found])];
}
