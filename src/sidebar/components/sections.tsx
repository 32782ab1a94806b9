import { Suspense, useState } from 'react';

import { Skeleton, count, useSignal } from '../../kit';
import type { ICount, ISidebarSection, ISidebarSections } from '../tokens';

/** What steps have added below the life cycle. */
export function Sections({ sections }: { sections: ISidebarSections }): JSX.Element {
  const items = useSignal(sections.changed, () => sections.items);
  return (
    <>
      {items.map(section =>
        section.count === undefined ? (
          <Section key={section.id} section={section} />
        ) : (
          <Counted key={section.id} section={section} of={section.count} />
        )
      )}
    </>
  );
}

/** A section that is there while it has something. */
function Counted({ section, of }: { section: ISidebarSection; of: ICount }): JSX.Element | null {
  const amount = useSignal(of.changed, of.read);
  return amount === 0 ? null : <Section section={section} amount={amount} />;
}

function Section(props: { section: ISidebarSection; amount?: number }): JSX.Element {
  const { section, amount } = props;
  const [open, setOpen] = useState(false);
  return (
    <details
      className="pj-SidebarSection"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>
        {section.label}
        {amount !== undefined && <span className="pj-Tabs-count">{count(amount)}</span>}
      </summary>
      {open && <Suspense fallback={<Skeleton lines={3} />}>{section.render()}</Suspense>}
    </details>
  );
}
