import type { Dataset, Node, NodeKind } from '../../api';
import { Button } from '../../kit/button';
import { Empty, Loaded } from '../../kit/feedback';
import { absolute, count } from '../../kit/format';
import { Section } from '../../kit/header';
import { RefLink } from '../../kit/ref';
import { useResource } from '../../kit/resource';
import { useServices, useTrans } from '../../kit/services';
import { KeyValue } from '../../kit/values';

/** Made from a version of data, in the order in which they come to be. */
const LATER: readonly NodeKind[] = ['data', 'run', 'model', 'endpoint'];

/** Where a dataset version comes from, and what came of it. */
export function DatasetLineage({ dataset }: { dataset: Dataset }): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const { facts, ref } = dataset;
  const lineage = useResource(['lineage', ref], ['data', 'develop', 'deploy'], (client, signal) =>
    client.get('/lineage', { query: { ref }, signal })
  );
  const whole = 'perijove:open-lineage';
  return (
    <div className="pj-DatasetLineage">
      <Section title={trans.__('Made from')}>
        {facts.kind !== 'curated' && facts.kind !== 'quarantine' ? (
          <KeyValue
            items={[
              [trans.__('Source'), <code key="path">{facts.path}</code>],
              ['SHA-256', <code key="sha">{facts.sha256}</code>],
              [trans.__('Registered'), absolute(dataset.at)],
              [trans.__('By'), dataset.by]
            ]}
          />
        ) : (
          <>
            <ul className="pj-RefList">
              {facts.inputs.map(input => (
                <li key={input}>
                  <RefLink of={input} />
                </li>
              ))}
            </ul>
            <KeyValue
              items={[
                [trans.__('Curated'), absolute(dataset.at)],
                [trans.__('By'), dataset.by],
                [trans.__('Table'), <code key="table">{facts.table}</code>],
                [trans.__('Code, SHA-256'), <code key="sha">{facts.code_sha256}</code>]
              ]}
            />
            <pre className="pj-Code" tabIndex={0} aria-label={trans.__('Source of the curation')}>
              {facts.source}
            </pre>
          </>
        )}
      </Section>
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
      <Section
        title={trans.__('What came of it')}
        actions={
          commands.hasCommand(whole) && (
            <Button look="link" onClick={() => void commands.execute(whole, { ref })}>
              {trans.__('Show in the lineage')}
            </Button>
          )
        }
      >
        <Loaded resource={lineage}>
          {({ nodes, edges }) => {
            const later = LATER.map(kind => ({
              kind,
              nodes: descendants(ref, nodes, edges).filter(node => node.kind === kind)
            })).filter(group => group.nodes.length > 0);
            return later.length === 0 ? (
              <Empty>{trans.__('No run has read this version yet.')}</Empty>
            ) : (
              <KeyValue
                items={later.map(group => [
                  kindName(group.kind, trans),
                  <ul key={group.kind} className="pj-RefList">
                    {group.nodes.map(node => (
                      <li key={node.ref}>
                        <RefLink of={node.ref} label={labelOf(node)} />
                      </li>
                    ))}
                  </ul>
                ])}
              />
            );
          }}
        </Loaded>
      </Section>
    </div>
  );
}

function kindName(kind: NodeKind, trans: { __: (text: string) => string }): string {
  switch (kind) {
    case 'data':
      return trans.__('Datasets');
    case 'run':
      return trans.__('Runs');
    case 'model':
      return trans.__('Models');
    default:
      return trans.__('Endpoints');
  }
}

function labelOf(node: Node): string | undefined {
  const facts: Record<string, unknown> = node.facts;
  return node.kind === 'run' && typeof facts['name'] === 'string' ? facts['name'] : undefined;
}

function descendants(
  ref: string,
  nodes: readonly Node[],
  edges: readonly { src: string; dst: string }[]
): Node[] {
  const found = new Set<string>();
  const open = [ref];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { src, dst } of edges) {
      if (src === next && !found.has(dst)) {
        found.add(dst);
        open.push(dst);
      }
    }
  }
  return nodes.filter(node => found.has(node.ref)).sort((a, b) => b.at - a.at);
}
