import type { CardSection, ModelVersion } from '../../api';
import { Badge, Loaded, Section, useResource, useTrans } from '../../kit';
import { Markdown } from '../../kit/markup';

/** What a model is for, what it was made of and how good it is, told from the chain. */
export function ModelCardTab({ model }: { model: ModelVersion }): JSX.Element {
  const card = useResource(
    ['model card', model.ref],
    ['problem', 'data', 'develop', 'deploy', 'monitor'],
    (client, signal) =>
      client.get('/models/{name}/versions/{version}/card', {
        path: { name: model.name, version: String(model.version) },
        signal
      })
  );
  return (
    <Loaded resource={card}>
      {({ sections }) => (
        <div className="pj-ModelCard">
          <Missing sections={sections} />
          {sections.map(section => (
            <Section
              key={section.title}
              title={section.title}
              actions={section.missing && <MissingBadge />}
            >
              <Markdown text={section.text} />
            </Section>
          ))}
        </div>
      )}
    </Loaded>
  );
}

function MissingBadge(): JSX.Element {
  const trans = useTrans();
  return <Badge look="attention">{trans.__('to be filled')}</Badge>;
}

function Missing({ sections }: { sections: readonly CardSection[] }): JSX.Element | null {
  const trans = useTrans();
  const missing = sections.filter(section => section.missing);
  if (missing.length === 0) {
    return null;
  }
  return (
    <p className="pj-Note">
      {trans._n(
        '%1 section of the card is not filled: %2.',
        '%1 sections of the card are not filled: %2.',
        missing.length,
        missing.map(section => section.title).join(', ')
      )}
    </p>
  );
}
