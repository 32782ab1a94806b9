import type { FormEvent } from 'react';
import { useState } from 'react';

import { PerijoveError, type Dataset } from '../../api';
import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { ErrorView } from '../../kit/feedback';
import { TextField } from '../../kit/form';
import { absolute, duration, relative } from '../../kit/format';
import { useServices, useTrans } from '../../kit/services';

/** When a curated dataset is made anew. */
export function ScheduleForm({ dataset }: { dataset: Dataset }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const { name, schedule } = dataset;
  const [when, setWhen] = useState(schedule?.when ?? '');
  const save = useAction(async () => {
    await client.put('/datasets/{name}', { path: { name }, body: { refresh: when.trim() } });
    events.announce('data');
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void save.run();
  };
  const facts = [
    schedule?.next != null &&
      trans.__('next %1 (%2)', relative(schedule.next), absolute(schedule.next)),
    schedule?.last != null && trans.__('last %1', relative(schedule.last)),
    schedule !== null &&
      schedule.late > 60_000 &&
      trans.__('%1 late: the server was down', duration(schedule.late))
  ].filter(Boolean);
  return (
    <form className="pj-ScheduleForm" onSubmit={submit}>
      <TextField
        label={trans.__('Make it anew')}
        help={
          facts.length > 0
            ? facts.join(' · ')
            : trans.__(
                '“when the source changes”, “every 6 hours”, “daily at 06:00”, or cron; empty for never'
              )
        }
        value={when}
        placeholder={trans.__('never')}
        suggestions={['when the source changes', 'every 6 hours', 'daily at 06:00']}
        onChange={setWhen}
      />
      <Button type="submit" busy={save.busy} disabled={when.trim() === (schedule?.when ?? '')}>
        {trans.__('Save')}
      </Button>
      {save.error !== undefined && <ErrorView error={save.error} compact />}
      {schedule !== null && schedule.error !== null && (
        <ErrorView error={new PerijoveError(schedule.error)} compact />
      )}
    </form>
  );
}
