import type { Endpoint } from '../../api';
import { refText } from '../../api/refs';
import { Button } from '../../kit/button';
import { Loaded } from '../../kit/feedback';
import { Section } from '../../kit/header';
import { useOpen } from '../../kit/open';
import type { Resource } from '../../kit/resource';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { StateGlyph } from '../../kit/state';
import { phaseOf } from '../phase';
import { Progress } from './progress';
import { Copy, Snippets } from './snippets';
import { TryIt } from './tryit';
import { OverrideBanner } from './verdicts';

/** While an endpoint starts it is asked after this often, in milliseconds: news may come late. */
const POLL = 500;

/** An endpoint, asked after again when it changes, and often while it starts. */
export function useEndpoint(name: string): Resource<Endpoint> {
  return useResource(
    ['endpoint', name],
    ['deploy'],
    (client, signal) => client.get('/endpoints/{name}', { path: { name }, signal }),
    {
      every: data => {
        const phase = data === undefined ? undefined : phaseOf(data);
        return phase === 'starting' || phase === 'loading' ? POLL : undefined;
      }
    }
  );
}

export interface DeploymentProps {
  name: string;
  /** When the click was, in milliseconds since the epoch. */
  since: number;
  copy: (text: string) => void;
  /** Back to the form, for another try or another model. */
  onBack: () => void;
}

/** What stands in the place of the form after the click: progress, then the live endpoint. */
export function Deployment({ name, since, copy, onBack }: DeploymentProps): JSX.Element {
  const trans = useTrans();
  const openRef = useOpen();
  const resource = useEndpoint(name);
  const open = (
    <Button onClick={() => openRef(`endpoint:${name}`)}>{trans.__('Open endpoint')}</Button>
  );
  return (
    <Loaded resource={resource}>
      {endpoint => {
        const phase = phaseOf(endpoint);
        switch (phase) {
          case 'starting':
          case 'loading':
            return (
              <>
                <h2 className="pj-Deploy-title">{trans.__('Deploying to %1', endpoint.name)}</h2>
                <Progress endpoint={endpoint} since={since} />
              </>
            );
          case 'failed':
          case 'stopped':
            return (
              <>
                <h2 className="pj-Deploy-title">
                  <StateGlyph
                    state={phase}
                    word
                    label={
                      phase === 'failed'
                        ? trans.__('%1 did not start', endpoint.name)
                        : trans.__('%1 was stopped', endpoint.name)
                    }
                  />
                </h2>
                <p className="pj-Deploy-reason" role="alert">
                  {endpoint.detail}
                </p>
                {endpoint.revision > 0 && (
                  <p className="pj-Deploy-muted">
                    {trans.__('Revision %1 still answers.', endpoint.revision)}
                  </p>
                )}
                <div className="pj-Deploy-actions">
                  {open}
                  <Button look="link" onClick={onBack}>
                    {trans.__('Back to the form')}
                  </Button>
                </div>
              </>
            );
          case 'serving':
            return <Live {...{ endpoint, copy, onBack }} />;
        }
      }}
    </Loaded>
  );
}

interface LiveProps {
  endpoint: Endpoint;
  copy: (text: string) => void;
  onBack: () => void;
}

function Live({ endpoint, copy, onBack }: LiveProps): JSX.Element {
  const trans = useTrans();
  const { client } = useServices();
  const openRef = useOpen();
  const { name } = endpoint;
  return (
    <>
      <h2 className="pj-Deploy-title">
        <StateGlyph
          state={endpoint.state}
          word
          label={trans.__(
            '%1 serves %2 (revision %3)',
            name,
            refText(endpoint.model),
            endpoint.revision
          )}
        />
      </h2>
      {endpoint.override !== null && <OverrideBanner override={endpoint.override} />}
      {endpoint.warning !== '' && <p className="pj-Deploy-warning">{endpoint.warning}</p>}
      <div className="pj-Deploy-actions">
        <Button look="accept" onClick={() => openRef(`endpoint:${name}`)}>
          {trans.__('Open endpoint')}
        </Button>
        <Button look="link" onClick={onBack}>
          {trans.__('Deploy another model')}
        </Button>
      </div>
      {endpoint.url !== '' && (
        <Section title={trans.__('URL')}>
          <Url url={endpoint.url} copy={copy} />
        </Section>
      )}
      <Section title={trans.__('Try it')}>
        <TryIt
          key={endpoint.model}
          fields={endpoint.signature?.inputs ?? []}
          sample={endpoint.sample}
          invoke={row =>
            client.post('/endpoints/{name}/invoke', { path: { name }, body: { rows: [row] } })
          }
        />
      </Section>
      <Section title={trans.__('Use it')}>
        <Snippets snippets={endpoint.snippets} copy={copy} />
      </Section>
    </>
  );
}

/** An address in one line that can be copied. */
export function Url({ url, copy }: { url: string; copy: (text: string) => void }): JSX.Element {
  return (
    <p className="pj-Deploy-url">
      <code title={url}>{url}</code>
      <Copy text={url} copy={copy} />
    </p>
  );
}
