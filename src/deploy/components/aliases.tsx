import { closeIcon } from '@jupyterlab/ui-components';

import type { ModelVersion } from '../../api';
import { Badge, Button, IconButton, Time, useServices, useTrans } from '../../kit';
import { RefLink } from '../../kit/ref';
import { CHAMPION } from '../aliases';
import { CommandIDs } from '../tokens';

/** The words that stand for a version, each with a way to remove it, and one to add another. */
export function AliasBar({ model }: { model: ModelVersion }): JSX.Element {
  const trans = useTrans();
  const { commands } = useServices();
  return (
    <div className="pj-Aliases" role="group" aria-label={trans.__('Aliases')}>
      {model.aliases.map(alias => (
        <span key={alias} className="pj-Alias">
          <AliasBadge alias={alias} />
          <IconButton
            label={trans.__('Remove alias %1', alias)}
            icon={closeIcon.react}
            onClick={() => void commands.execute(CommandIDs.removeAlias, { ref: model.ref, alias })}
          />
        </span>
      ))}
      <Button
        look="link"
        onClick={() => void commands.execute(CommandIDs.setAlias, { ref: model.ref })}
      >
        {trans.__('Add alias')}
      </Button>
    </div>
  );
}

/** All versions of a model, the newest first, with what stands for them. */
export function Versions(props: {
  model: ModelVersion;
  versions: readonly ModelVersion[];
}): JSX.Element {
  const { model, versions } = props;
  const trans = useTrans();
  const { commands } = useServices();
  return (
    <ul className="pj-Versions">
      {versions.map(one => (
        <li key={one.ref} aria-current={one.ref === model.ref || undefined}>
          {one.ref === model.ref ? (
            <span className="pj-mod-strong">v{one.version}</span>
          ) : (
            <RefLink of={one.ref} label={`v${one.version}`} />
          )}
          <span className="pj-Versions-aliases">
            {one.aliases.map(alias => (
              <span key={alias} className="pj-Alias">
                <AliasBadge alias={alias} />
                {one.ref !== model.ref && (
                  <Button
                    look="link"
                    aria-label={trans.__('Move alias %1 to version %2', alias, model.version)}
                    onClick={() =>
                      void commands.execute(CommandIDs.setAlias, { ref: model.ref, alias })
                    }
                  >
                    {trans.__('move here')}
                  </Button>
                )}
              </span>
            ))}
          </span>
          <Time at={one.at} />
        </li>
      ))}
    </ul>
  );
}

function AliasBadge({ alias }: { alias: string }): JSX.Element {
  return <Badge look={alias === CHAMPION ? 'ok' : 'plain'}>{alias}</Badge>;
}
