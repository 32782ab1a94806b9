import { closeIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';

import type { Run } from '../../../api';
import { useAction } from '../../../kit/action';
import { Button, IconButton } from '../../../kit/button';
import { ErrorView } from '../../../kit/feedback';
import { TextField } from '../../../kit/form';
import { Section } from '../../../kit/header';
import { useServices, useTrans } from '../../../kit/services';
import { KeyValue } from '../../../kit/values';
import { ownTags, readTag } from '../../tags';

/** A run's tags: those of people can be changed, those of the tools are folded away. */
export function Tags({ run }: { run: Run }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const { own, others } = ownTags(run.tags);
  const change = useAction(async (tags: Record<string, string>, untag: string[]) => {
    await client.post('/runs/change', {
      body: { run_ids: [run.summary.run_id], tags, untag }
    });
    events.announce('develop');
  });
  const add = async (): Promise<void> => {
    const tag = readTag(text);
    setWrong(tag === null);
    if (tag !== null && (await change.run({ [tag.key]: tag.value }, []))) {
      setText('');
    }
  };
  return (
    <Section title={trans.__('Tags')}>
      {own.length > 0 && (
        <ul className="pj-Run-tags">
          {own.map(([key, value]) => (
            <li key={key} className="pj-Run-tag" title={`${key}: ${value}`}>
              <span className="pj-Ellipsis">{value === '' ? key : `${key}: ${value}`}</span>
              <IconButton
                label={trans.__('Remove tag %1', key)}
                icon={closeIcon.react}
                disabled={change.busy}
                onClick={() => void change.run({}, [key])}
              />
            </li>
          ))}
        </ul>
      )}
      <form
        className="pj-Run-addTag"
        onSubmit={event => {
          event.preventDefault();
          void add();
        }}
      >
        <TextField
          label={trans.__('New tag')}
          bare
          placeholder={trans.__('team: search')}
          value={text}
          onChange={next => {
            setText(next);
            setWrong(false);
          }}
          {...(wrong && { error: trans.__('A tag is a name, and a value behind a colon.') })}
        />
        <Button type="submit" disabled={text.trim() === ''} busy={change.busy}>
          {trans.__('Add tag')}
        </Button>
      </form>
      {change.error !== undefined && <ErrorView error={change.error} compact />}
      {others.length > 0 && (
        <details className="pj-Fold">
          <summary>
            {trans.__('Of the tools')} <span className="pj-Tabs-count">{others.length}</span>
          </summary>
          <KeyValue items={others} />
        </details>
      )}
    </Section>
  );
}
