import { parseRef, refText, type Alert, type Trans } from '../../api';
import { Button, RefLink, StateGlyph, Time, classes, useServices, useTrans } from '../../kit';
import { isKind, kindName } from '../../kit/lineage/names';
import { CommandIDs } from '../tokens';

export interface AlertListProps {
  items: readonly Alert[];
  /** Without what to do about it, for the sidebar. */
  brief?: boolean;
}

/** Alerts, each with what happened, what to do and who looks after it. */
export function AlertList({ items, brief = false }: AlertListProps): JSX.Element {
  const trans = useTrans();
  return (
    <ul
      className={classes('pj-Alerts', brief && 'pj-mod-brief')}
      aria-label={trans.__('Open alerts')}
    >
      {items.map(alert => (
        <Entry key={alert.id} alert={alert} brief={brief} />
      ))}
    </ul>
  );
}

function Entry({ alert, brief }: { alert: Alert; brief: boolean }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  const seen = alert.acknowledged_at !== null;
  const acknowledge = (
    <Button
      look={brief ? 'link' : 'plain'}
      aria-label={trans.__('Acknowledge: %1', alert.title)}
      onClick={() =>
        void commands.execute(CommandIDs.acknowledgeAlert, { alert: alert.id, title: alert.title })
      }
    >
      {trans.__('Acknowledge')}
    </Button>
  );
  return (
    <li className={classes('pj-Alert', `pj-mod-${alert.level}`, seen && 'pj-mod-seen')}>
      <StateGlyph state={alert.level} />
      <div className="pj-Alert-text">
        <p className="pj-Alert-title">{alert.title}</p>
        {!brief && alert.detail !== '' && <p>{alert.detail}</p>}
        {!brief && alert.fix !== '' && <p className="pj-Alert-fix">{alert.fix}</p>}
        <p className="pj-Alert-facts">
          <RefLink of={alert.subject} label={subjectText(alert.subject, trans)} />
          {brief ? (
            <Time at={alert.since} />
          ) : (
            <span>
              {trans.__('since')} <Time at={alert.since} />
            </span>
          )}
          {brief && !seen && acknowledge}
        </p>
        {seen && (
          <p className="pj-Alert-facts">
            <span>
              {trans.__('%1 looks after it', alert.acknowledged_by)}
              {', '}
              <Time at={alert.acknowledged_at} />
            </span>
            {!brief && alert.note !== '' && <q>{alert.note}</q>}
          </p>
        )}
      </div>
      {!brief && !seen && <div className="pj-Alert-actions">{acknowledge}</div>}
    </li>
  );
}

/** `endpoint builds v1`: an endpoint and a dataset may have one name. */
function subjectText(subject: string, trans: Trans): string {
  const kind = parseRef(subject)?.kind ?? '';
  return isKind(kind) ? `${kindName(kind, trans)} ${refText(subject)}` : refText(subject);
}
