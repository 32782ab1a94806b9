import { useEffect, useState } from 'react';

import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { Drawer } from '../../kit/drawer';
import { ErrorView, Skeleton } from '../../kit/feedback';
import { TextAreaField } from '../../kit/form';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';

export interface NoteEditorProps {
  runs: readonly { run_id: string; name: string }[];
  onClose: () => void;
}

/** The note on a run; of several, a note that all of them get. */
export function NoteEditor({ runs, onClose }: NoteEditorProps): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const [first] = runs;
  const one = runs.length === 1 ? first : undefined;
  const [text, setText] = useState<string>();
  const run = useResource(
    ['run', one?.run_id ?? ''],
    [],
    (ask, signal) => ask.get('/runs/{run_id}', { path: { run_id: one?.run_id ?? '' }, signal }),
    { enabled: one !== undefined }
  );
  const known = one === undefined ? '' : run.data?.note;
  useEffect(() => {
    if (known !== undefined) {
      setText(old => old ?? known);
    }
  }, [known]);
  const {
    run: save,
    busy,
    error
  } = useAction(async () => {
    await client.post('/runs/change', {
      body: { run_ids: runs.map(({ run_id: id }) => id), note: text ?? '' }
    });
    run.reload();
    events.announce('develop');
    onClose();
  });
  return (
    <Drawer
      kind={trans.__('Note')}
      title={one?.name ?? trans.__('%1 runs', runs.length)}
      onClose={onClose}
    >
      {run.error !== undefined && <ErrorView error={run.error} retry={run.reload} compact />}
      {text === undefined ? (
        <Skeleton lines={3} />
      ) : (
        <form
          className="pj-NoteEditor"
          onSubmit={event => {
            event.preventDefault();
            void save();
          }}
          onKeyDown={event => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              void save();
            }
          }}
        >
          <TextAreaField
            label={trans.__('Text in Markdown')}
            help={
              one === undefined
                ? trans.__('It takes the place of the notes that these runs have.')
                : trans.__('MLflow shows it as the description of the run.')
            }
            rows={12}
            autoFocus
            value={text}
            onChange={setText}
          />
          {error !== undefined && <ErrorView error={error} compact />}
          <div className="pj-FilterEditor-actions">
            <Button look="accept" type="submit" busy={busy}>
              {trans.__('Save note')}
            </Button>
          </div>
        </form>
      )}
    </Drawer>
  );
}
