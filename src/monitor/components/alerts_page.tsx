import { STEPS } from '../../api';
import { Empty, Loaded, PageHeader, Section, useResource, useTrans } from '../../kit';
import { AlertList } from './alert_list';

/** What needs a person: what nobody looks after yet, then the rest that is not mended. */
export default function AlertsPage(): JSX.Element {
  const trans = useTrans();
  const alerts = useResource(['alerts'], STEPS, (client, signal) =>
    client.get('/alerts', { signal })
  );
  return (
    <div className="pj-AlertsPage">
      <PageHeader
        title={trans.__('Alerts')}
        facts={trans.__('What needs a person. An alert goes by itself when its cause is mended.')}
      />
      <Loaded resource={alerts}>
        {({ items }) => {
          const open = items.filter(alert => alert.acknowledged_at === null);
          const seen = items.filter(alert => alert.acknowledged_at !== null);
          return (
            <>
              {open.length > 0 && <AlertList items={open} />}
              {open.length === 0 && (
                <Empty>
                  {seen.length > 0
                    ? trans.__('Somebody looks after every open alert.')
                    : trans.__('Nothing needs anybody now.')}
                </Empty>
              )}
              {seen.length > 0 && (
                <Section title={trans.__('Looked after')}>
                  <AlertList items={seen} />
                </Section>
              )}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
