import { Suspense, useState } from 'react';

import { Skeleton, useSignal } from '../../kit';
import type { ISidebarSection, ISidebarSections } from '../tokens';

/** What steps have added below the life cycle. */
export function Sections({ sections }: { sections: ISidebarSections }): JSX.Element {
  const items = useSignal(sections.changed, () => sections.items);
  return (
    <>
      {items.map(section => (
        <Section key={section.id} section={section} />
      ))}
    </>
  );
}

function Section({ section }: { section: ISidebarSection }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details
      className="pj-SidebarSection"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{section.label}</summary>
      {open && <Suspense fallback={<Skeleton lines={3} />}>{section.render()}</Suspense>}
    </details>
  );
}
