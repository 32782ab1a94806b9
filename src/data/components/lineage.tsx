import { useState } from 'react';

import type { Dataset } from '../../api';
import { STEPS } from '../../api';
import { Button } from '../../kit/button';
import { Empty, Loaded } from '../../kit/feedback';
import { absolute, count } from '../../kit/format';
import { Section } from '../../kit/header';
import { LineageView } from '../../kit/lineage/view';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { KeyValue } from '../../kit/values';

/** Where a dataset version comes from, and what came of it. */
export function DatasetLineage({ dataset }: { dataset: Dataset }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const { ref } = dataset;
  const [selected, setSelected] = useState<string>();
  const lineage = useResource(['lineage', ref], STEPS, (client, signal) =>
    client.get('/lineage', { query: { ref }, signal })
  );
  const whole = 'perijove:open-lineage';
  return (
    <div className="pj-DatasetLineage">
      <Section
        title={trans.__('What led to it, and what came of it')}
        actions={
          commands.hasCommand(whole) && (
            <Button
              look="link"
              onClick={() => void commands.execute(whole, { ref: selected ?? ref })}
            >
              {trans.__('Show in the whole lineage')}
            </Button>
          )
        }
      >
        <Loaded resource={lineage}>
          {data =>
            data.nodes.length <= 1 ? (
              <Empty>{trans.__('No run has read this version yet.')}</Empty>
            ) : (
              <LineageView lineage={data} focus={ref} selected={selected} onSelect={setSelected} />
            )
          }
        </Loaded>
      </Section>
      <Made dataset={dataset} />
      {dataset.splits.length > 0 && (
        <Section title={trans.__('Splits')}>
          {dataset.splits.map(split => (
            <p key={split.dataset} className="pj-DatasetLineage-split">
              {split.method === 'time'
                ? trans.__('By time, in the order of %1: ', split.column)
                : split.method === 'group'
                  ? trans.__('Rows with the same %1 stay together: ', split.column)
                  : trans.__('By a hash of each row: ')}
              {split.parts
                .map(part => trans.__('%1 %2 rows', part.name, count(part.rows)))
                .join(' · ')}
            </p>
          ))}
        </Section>
      )}
    </div>
  );
}

/** How the version was made. */
function Made({ dataset }: { dataset: Dataset }): JSX.Element {
  const trans = useTrans();
  const { facts } = dataset;
  const curated = facts.kind === 'curated' || facts.kind === 'quarantine';
  return (
    <Section title={curated ? trans.__('Curation') : trans.__('Source')}>
      {curated ? (
        <>
          <KeyValue
            items={[
              [trans.__('Curated'), absolute(dataset.at)],
              [trans.__('By'), dataset.by],
              [trans.__('Table'), <code key="table">{facts.table}</code>],
              [trans.__('Code, SHA-256'), <code key="sha">{facts.code_sha256}</code>]
            ]}
          />
          {facts.source !== '' && (
            <pre className="pj-Code" tabIndex={0} aria-label={trans.__('Source of the curation')}>
              {facts.source}
            </pre>
          )}
        </>
      ) : (
        <KeyValue
          items={[
            [trans.__('Path'), <code key="path">{facts.path}</code>],
            ['SHA-256', <code key="sha">{facts.sha256}</code>],
            [trans.__('Registered'), absolute(dataset.at)],
            [trans.__('By'), dataset.by]
          ]}
        />
      )}
    </Section>
  );
}
