import { Suspense, useState } from 'react';

import type { Endpoint } from '../../api';
import {
  Button,
  Loaded,
  PageHeader,
  Skeleton,
  Tabs,
  bytes,
  useServices,
  useSignal,
  useTrans,
  type PageProps
} from '../../kit';
import { RefLink } from '../../kit/ref';
import { phaseOf } from '../phase';
import { CommandIDs, type IEndpointTabs } from '../tokens';
import { useEndpoint } from './deployment';
import { OverrideBanner } from './verdicts';

// A type, for the arguments of a page are JSON, which an interface cannot promise.
export type EndpointArgs = {
  name: string;
  /** The tab to begin with; the first one when left out. */
  tab?: string;
};

export interface EndpointPageProps extends PageProps<EndpointArgs> {
  tabs: IEndpointTabs;
}

/** An endpoint: what it is, its state, and the tabs that the steps have added. */
export function EndpointPage({ args, tabs }: EndpointPageProps): JSX.Element {
  const trans = useTrans();
  const resource = useEndpoint(args.name);
  const items = useSignal(tabs.changed, () => tabs.items());
  const [asked, setAsked] = useState(args.tab);
  const [chosen, setChosen] = useState(args.tab);
  if (asked !== args.tab) {
    // The page was opened again, for another tab.
    setAsked(args.tab);
    setChosen(args.tab);
  }
  const current = items.find(tab => tab.id === chosen) ?? items[0];
  return (
    <Loaded resource={resource}>
      {endpoint => (
        <>
          <Header endpoint={endpoint} />
          {endpoint.override !== null && <OverrideBanner override={endpoint.override} />}
          {endpoint.warning !== '' && <p className="pj-Deploy-warning">{endpoint.warning}</p>}
          {current !== undefined && (
            <Tabs
              label={trans.__('About %1', endpoint.name)}
              tabs={items}
              current={current.id}
              onChange={setChosen}
            >
              <div key={current.id} className="pj-Deploy-tab">
                <Suspense fallback={<Skeleton />}>
                  {current.render({ endpoint, select: setChosen })}
                </Suspense>
              </div>
            </Tabs>
          )}
        </>
      )}
    </Loaded>
  );
}

function Header({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const { name } = endpoint;
  const stopped = endpoint.state === 'stopped';
  const run = (command: string, args: Record<string, string>): void =>
    void commands.execute(command, args);
  return (
    <PageHeader
      kind={trans.__('Endpoint')}
      title={name}
      state={endpoint.state}
      facts={
        <>
          {endpoint.model !== '' && <RefLink of={endpoint.model} />}
          {endpoint.revision > 0 && <span>{trans.__('revision %1', endpoint.revision)}</span>}
          <span>{endpoint.target}</span>
          {endpoint.memory !== null && <span>{bytes(endpoint.memory)}</span>}
          {endpoint.detail !== '' && phaseOf(endpoint) !== 'serving' && (
            <span className="pj-Deploy-detail">{endpoint.detail}</span>
          )}
        </>
      }
      actions={
        <>
          {stopped ? (
            <Button onClick={() => run(CommandIDs.startEndpoint, { name })}>
              {trans.__('Start endpoint')}
            </Button>
          ) : (
            <Button onClick={() => run(CommandIDs.stopEndpoint, { name })}>
              {trans.__('Stop endpoint')}
            </Button>
          )}
          <Button look="accept" onClick={() => run(CommandIDs.deployModel, { endpoint: name })}>
            {trans.__('Deploy new revision')}
          </Button>
        </>
      }
    />
  );
}
