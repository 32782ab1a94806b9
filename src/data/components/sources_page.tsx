import type { FormEvent } from 'react';
import { useState } from 'react';

import type { Source, SourceEntry, Sources, SourceType } from '../../api';
import { useAction } from '../../kit/action';
import { Button } from '../../kit/button';
import { Empty, ErrorView, Loaded } from '../../kit/feedback';
import { TextAreaField, TextField } from '../../kit/form';
import { bytes } from '../../kit/format';
import { PageHeader, Section } from '../../kit/header';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { DataTable, type TableColumn } from '../../kit/table';
import { Badge, Ellipsis, Time } from '../../kit/values';
import { CommandIDs } from '../tokens';

/** Where data may come from, what lies there, and how to register it. */
export default function SourcesPage(): JSX.Element {
  const trans = useTrans();
  const sources = useResource(['sources'], ['data', 'problem'], (client, signal) =>
    client.get('/sources', { signal })
  );
  const [place, setPlace] = useState('');
  const [location, setLocation] = useState('');
  return (
    <div className="pj-Sources">
      <PageHeader
        title={trans.__('Sources')}
        facts={trans.__(
          'Where data may come from; what is registered keeps its place and its hash'
        )}
      />
      <Loaded resource={sources}>
        {found => (
          <>
            <Section title={trans.__('Register data')}>
              <RegisterForm key={location} location={location} types={found.types} />
            </Section>
            <Section title={trans.__('Look into a source')}>
              <div className="pj-Sources-list" role="group" aria-label={trans.__('Sources')}>
                {found.items.map(source => (
                  <button
                    key={source.location}
                    type="button"
                    className="pj-Source"
                    aria-pressed={source.location === place}
                    title={source.location}
                    onClick={() => setPlace(source.location)}
                  >
                    <strong className="pj-Ellipsis">{source.label}</strong>
                    <span className="pj-mod-quiet">{source.kind}</span>
                  </button>
                ))}
              </div>
              <Entries
                key={place}
                location={place}
                roots={found.items}
                onPlace={setPlace}
                onRegister={setLocation}
              />
            </Section>
            <Section title={trans.__('Allowed sources')}>
              <AllowForm key={JSON.stringify(found.items)} sources={found} />
            </Section>
            <Section title={trans.__('Kinds of sources')}>
              <Types types={found.types} />
            </Section>
          </>
        )}
      </Loaded>
    </div>
  );
}

function RegisterForm(props: { location: string; types: readonly SourceType[] }): JSX.Element {
  const { client, commands, events } = useServices();
  const trans = useTrans();
  const [location, setLocation] = useState(props.location);
  const [name, setName] = useState('');
  const [query, setQuery] = useState('');
  const register = useAction(async () => {
    const dataset = await client.post('/datasets', {
      body: { path: location.trim(), name: name.trim(), query: query.trim() }
    });
    events.announce('data');
    await commands.execute(CommandIDs.openDataset, { name: dataset.name });
  });
  const sql =
    /^[a-z0-9+]+:\/\//i.test(location) && !/^(s3|gs|gcs|az|abfss?|https?|file):/i.test(location);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void register.run();
  };
  return (
    <form className="pj-RegisterForm" onSubmit={submit}>
      <TextField
        label={trans.__('Location')}
        help={trans.__(
          'A path in the project, a folder, or a URL. Passwords come from the environment.'
        )}
        value={location}
        placeholder="data/builds.csv"
        suggestions={props.types.map(type => type.example)}
        onChange={setLocation}
      />
      <TextField
        label={trans.__('Name')}
        help={trans.__('Made from the location when empty')}
        value={name}
        onChange={setName}
      />
      <Button look="accept" type="submit" busy={register.busy} disabled={location.trim() === ''}>
        {trans.__('Register')}
      </Button>
      {sql && (
        <TextAreaField
          label={trans.__('Query')}
          help={trans.__('A SELECT, where the location names no table')}
          value={query}
          onChange={setQuery}
        />
      )}
      {register.error !== undefined && <ErrorView error={register.error} compact />}
    </form>
  );
}

interface EntriesProps {
  location: string;
  roots: readonly Source[];
  onPlace: (location: string) => void;
  onRegister: (location: string) => void;
}

function Entries({ location, roots, onPlace, onRegister }: EntriesProps): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const entries = useResource(['entries', location], ['data'], (client, signal) =>
    client.get('/sources/entries', { query: { location }, signal })
  );
  const columns: TableColumn<SourceEntry>[] = [
    {
      id: 'name',
      title: trans.__('Name'),
      value: entry => entry.name,
      render: entry => (
        <Ellipsis
          text={entry.kind === 'folder' ? `${entry.name}/` : entry.name}
          className="pj-mod-strong"
        />
      ),
      min: 200,
      grow: 3
    },
    {
      id: 'bytes',
      title: trans.__('Size'),
      value: entry => entry.bytes,
      render: entry => (entry.bytes === null ? '' : bytes(entry.bytes)),
      align: 'end',
      min: 88,
      grow: 0
    },
    {
      id: 'modified',
      title: trans.__('Changed'),
      value: entry => entry.modified,
      render: entry => (entry.modified === null ? '' : <Time at={entry.modified} />),
      min: 112,
      grow: 0
    },
    {
      id: 'dataset',
      title: trans.__('Dataset'),
      value: entry => entry.dataset || null,
      render: entry =>
        entry.dataset !== '' ? (
          <Badge look="ok">{entry.dataset}</Badge>
        ) : (
          <Button look="link" onClick={() => onRegister(entry.location)}>
            {trans.__('Register')}
          </Button>
        ),
      min: 128,
      grow: 1
    }
  ];
  const root = roots.some(source => source.location === location);
  return (
    <Loaded resource={entries}>
      {({ items, truncated }) => (
        <>
          {!root && location !== '' && (
            <Button look="link" onClick={() => onPlace(parentOf(location))}>
              {trans.__('Up to %1', parentOf(location) || trans.__('the project'))}
            </Button>
          )}
          <DataTable
            label={trans.__('What lies in the source')}
            columns={columns}
            rows={items}
            rowKey={entry => entry.location}
            onOpen={entry => {
              if (entry.dataset !== '') {
                void commands.execute(CommandIDs.openDataset, { name: entry.dataset });
              } else if (entry.kind === 'folder') {
                onPlace(entry.location);
              } else {
                onRegister(entry.location);
              }
            }}
            height={10}
            empty={<Empty>{trans.__('There is no table here.')}</Empty>}
          />
          {truncated && (
            <p className="pj-mod-quiet">{trans.__('Only the first entries are listed.')}</p>
          )}
        </>
      )}
    </Loaded>
  );
}

function parentOf(location: string): string {
  return location.replace(/\/+$/, '').replace(/\/?[^/]*$/, '');
}

function AllowForm({ sources }: { sources: Sources }): JSX.Element {
  const { client, events } = useServices();
  const trans = useTrans();
  const declared = sources.items.filter(source => source.declared).map(source => source.location);
  const [text, setText] = useState(declared.join('\n'));
  const save = useAction(async (allow: string[] | null) => {
    await client.put('/sources', { body: { allow } });
    events.announce('data', 'problem');
  });
  return (
    <form
      className="pj-AllowForm"
      onSubmit={event => {
        event.preventDefault();
        void save.run(
          text
            .split('\n')
            .map(line => line.trim())
            .filter(Boolean)
        );
      }}
    >
      <TextAreaField
        label={trans.__('One folder or URL a line; what lies below each is allowed')}
        help={
          sources.restricted
            ? trans.__(
                'Data from anywhere else cannot be registered, and is named when a notebook reads it.'
              )
            : trans.__('There is no list: data may come from anywhere.')
        }
        rows={Math.max(3, declared.length + 1)}
        value={text}
        onChange={setText}
      />
      <div className="pj-FilterEditor-actions">
        {sources.restricted && (
          <Button look="link" busy={save.busy} onClick={() => void save.run(null)}>
            {trans.__('Allow all sources')}
          </Button>
        )}
        <Button
          type="submit"
          busy={save.busy}
          disabled={text === declared.join('\n') && sources.restricted}
        >
          {trans.__('Allow only these')}
        </Button>
      </div>
      {save.error !== undefined && <ErrorView error={save.error} compact />}
    </form>
  );
}

function Types({ types }: { types: readonly SourceType[] }): JSX.Element {
  const trans = useTrans();
  const columns: TableColumn<SourceType>[] = [
    { id: 'label', title: trans.__('Kind'), value: type => type.label, min: 160 },
    {
      id: 'example',
      title: trans.__('Location'),
      value: type => type.example,
      render: type => <code className="pj-Ellipsis">{type.example}</code>,
      min: 220,
      grow: 2
    },
    {
      id: 'needs',
      title: trans.__('Needs'),
      value: type => type.needs,
      render: type =>
        type.available ? (
          <Badge look="ok">{trans.__('ready')}</Badge>
        ) : (
          <code className="pj-Ellipsis">{type.needs}</code>
        ),
      min: 220,
      grow: 1
    }
  ];
  return (
    <DataTable
      label={trans.__('Kinds of sources')}
      columns={columns}
      rows={types}
      rowKey={type => type.kind}
      height={Math.max(1, types.length)}
    />
  );
}
