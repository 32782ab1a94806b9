import type { ReactNode } from 'react';

import type { Condition } from './state';
import { StateGlyph } from './state';

export interface PageHeaderProps {
  /** What the page shows, such as the name of a dataset. */
  title: string;
  /** The kind of thing, such as `Dataset`. */
  kind?: string;
  state?: Condition;
  /** Another word than the state's own. */
  stateLabel?: string;
  /** One line of facts under the title. */
  facts?: ReactNode;
  /** At most two buttons; the main one last. */
  actions?: ReactNode;
}

/** The title row of a page: what it is, its state, its main actions. */
export function PageHeader(props: PageHeaderProps): JSX.Element {
  return (
    <header className="pj-PageHeader">
      <div className="pj-PageHeader-what">
        {props.kind !== undefined && <span className="pj-PageHeader-kind">{props.kind}</span>}
        <div className="pj-PageHeader-line">
          <h1 className="pj-PageHeader-title" title={props.title}>
            {props.title}
          </h1>
          {props.state !== undefined && (
            <StateGlyph state={props.state} label={props.stateLabel} word />
          )}
        </div>
        {props.facts !== undefined && <div className="pj-PageHeader-facts">{props.facts}</div>}
      </div>
      {props.actions !== undefined && <div className="pj-PageHeader-actions">{props.actions}</div>}
    </header>
  );
}

export interface SectionProps {
  title: string;
  /** Buttons at the right of the title. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of a page under a heading. */
export function Section(props: SectionProps): JSX.Element {
  return (
    <section className="pj-Section" aria-label={props.title}>
      <div className="pj-Section-header">
        <h2 className="pj-Section-title">{props.title}</h2>
        {props.actions !== undefined && <div className="pj-Section-actions">{props.actions}</div>}
      </div>
      {props.children}
    </section>
  );
}
