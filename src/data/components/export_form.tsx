import type { FormEvent } from 'react';
import { useState } from 'react';

import type { Task, ViewSpec } from '../../api';
import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { ErrorView } from '../../kit/feedback';
import { CheckField, SelectField, TextField } from '../../kit/form';
import { useServices, useTrans } from '../../kit/services';

const FORMATS = ['parquet', 'csv', 'tsv', 'jsonl', 'arrow'] as const;

export interface ExportFormProps {
  name: string;
  view: ViewSpec;
  onStarted: (task: Task) => void;
}

/** Write what the grid shows into a file of the project. */
export function ExportForm({ name, view, onStarted }: ExportFormProps): JSX.Element {
  const { client } = useServices();
  const trans = useTrans();
  const [format, setFormat] = useState<string>('parquet');
  const [path, setPath] = useState(`exports/${name}`);
  const [replace, setReplace] = useState(false);
  const file = path.endsWith(`.${format}`) ? path : `${path}.${format}`;
  const start = useAction(async () => {
    onStarted(
      await client.post('/datasets/{name}/export', {
        path: { name },
        body: { view, path: file, replace }
      })
    );
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void start.run();
  };
  return (
    <form className="pj-ExportForm" onSubmit={submit}>
      <TextField
        label={trans.__('File in the project')}
        help={file}
        value={path}
        onChange={setPath}
      />
      <SelectField
        label={trans.__('Format')}
        value={format}
        options={FORMATS.map(value => ({ value, label: LABELS[value] }))}
        onChange={setFormat}
      />
      <CheckField
        label={trans.__('Replace the file if it is there')}
        checked={replace}
        onChange={setReplace}
      />
      {start.error !== undefined && <ErrorView error={start.error} compact />}
      <Button look="accept" type="submit" busy={start.busy} disabled={path.trim() === ''}>
        {trans.__('Export')}
      </Button>
    </form>
  );
}

const LABELS: Record<(typeof FORMATS)[number], string> = {
  parquet: 'Parquet',
  csv: 'CSV',
  tsv: 'TSV',
  jsonl: 'JSON lines',
  arrow: 'Arrow'
};
