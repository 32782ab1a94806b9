import { Button, useServices, useSignal, useTrans } from '../../kit';
import type { AlertsModel } from '../alerts';
import { CommandIDs } from '../tokens';
import { AlertList } from './alert_list';

/** The sidebar is no list: the rest is on the page. */
const MOST = 5;

/** The open alerts in the sidebar, those first that nobody looks after. */
export default function AlertsSection({ model }: { model: AlertsModel }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const items = useSignal(model.changed, () => model.items);
  const ordered = [...items].sort(
    (left, right) => Number(left.acknowledged_at !== null) - Number(right.acknowledged_at !== null)
  );
  return (
    <div className="pj-AlertsSection">
      <AlertList items={ordered.slice(0, MOST)} brief />
      <Button look="link" onClick={() => void commands.execute(CommandIDs.openAlerts)}>
        {items.length > MOST
          ? trans.__('All %1 alerts', items.length)
          : trans.__('What to do about them')}
      </Button>
    </div>
  );
}
