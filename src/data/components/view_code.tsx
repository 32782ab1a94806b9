import { Clipboard } from '@jupyterlab/apputils';
import { useState } from 'react';

import type { ViewSpec } from '../../api';
import { Button } from '../../kit/button';
import { Loaded } from '../../kit/feedback';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { Tabs } from '../../kit/tabs';
import { CommandIDs } from '../tokens';

const LIBRARIES = ['pandas', 'polars', 'sql'] as const;
type Library = (typeof LIBRARIES)[number];
const LABELS: Record<Library, string> = { pandas: 'pandas', polars: 'Polars', sql: 'SQL' };

/** The code that makes what the grid shows, to go on with in the notebook. */
export function ViewCode({ name, view }: { name: string; view: ViewSpec }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const [library, setLibrary] = useState<Library>('pandas');
  const code = useResource(['code', name, library, JSON.stringify(view)], [], (client, signal) =>
    client.post('/datasets/{name}/code', { path: { name }, body: { view, library }, signal })
  );
  return (
    <div className="pj-ViewCode">
      <Tabs
        label={trans.__('Library')}
        tabs={LIBRARIES.map(id => ({ id, label: LABELS[id] }))}
        current={library}
        onChange={id => setLibrary(id as Library)}
      >
        <Loaded resource={code}>
          {({ code: text }) => (
            <>
              <pre className="pj-Code" tabIndex={0} aria-label={trans.__('Code of this view')}>
                {text}
              </pre>
              <div className="pj-ViewCode-actions">
                <Button onClick={() => Clipboard.copyToSystem(text)}>{trans.__('Copy')}</Button>
                <Button
                  look="accept"
                  onClick={() => void commands.execute(CommandIDs.insertCode, { code: text, name })}
                >
                  {trans.__('Insert into the notebook')}
                </Button>
              </div>
            </>
          )}
        </Loaded>
      </Tabs>
    </div>
  );
}
