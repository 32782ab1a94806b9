import { useState } from 'react';

import type { Run } from '../../../api';
import { useAction } from '../../../kit/action';
import { Button } from '../../../kit/button';
import { ErrorView } from '../../../kit/feedback';
import { TextAreaField } from '../../../kit/form';
import { Section } from '../../../kit/header';
import { Markdown } from '../../../kit/markup';
import { useServices, useTrans } from '../../../kit/services';

/** What somebody says of a run, in Markdown; MLflow shows it as the run's description. */
export function Note({ run }: { run: Run }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const [draft, setDraft] = useState<string>();
  const save = useAction(async (note: string) => {
    await client.post('/runs/change', { body: { run_ids: [run.summary.run_id], note } });
    events.announce('develop');
    setDraft(undefined);
  });
  if (draft !== undefined) {
    return (
      <Section title={trans.__('Note')}>
        <form
          className="pj-Note-form"
          onSubmit={event => {
            event.preventDefault();
            void save.run(draft);
          }}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              event.stopPropagation();
              setDraft(undefined);
            } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              void save.run(draft);
            }
          }}
        >
          <TextAreaField
            label={trans.__('Note in Markdown')}
            bare
            autoFocus
            rows={6}
            value={draft}
            onChange={setDraft}
          />
          {save.error !== undefined && <ErrorView error={save.error} compact />}
          <div className="pj-Run-formActions">
            <Button onClick={() => setDraft(undefined)}>{trans.__('Cancel')}</Button>
            <Button look="accept" type="submit" busy={save.busy}>
              {trans.__('Save note')}
            </Button>
          </div>
        </form>
      </Section>
    );
  }
  return (
    <Section
      title={trans.__('Note')}
      actions={
        run.note !== '' && (
          <Button look="link" onClick={() => setDraft(run.note)}>
            {trans.__('Edit note')}
          </Button>
        )
      }
    >
      {run.note === '' ? (
        <p className="pj-mod-quiet pj-Run-line">
          <Button look="link" onClick={() => setDraft('')}>
            {trans.__('Write a note')}
          </Button>
        </p>
      ) : (
        <Markdown text={run.note} />
      )}
    </Section>
  );
}
