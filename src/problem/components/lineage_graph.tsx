import type { KeyboardEvent } from 'react';
import { useEffect, useRef } from 'react';

import { classes, relative, useServices, useTrans } from '../../kit';
import { nodeLabel, type RunNames } from '../label';
import type { Layout, Placed } from '../layout';
import { BOX } from '../layout';
import { kindName } from './kinds';

/** A wide graph is drawn smaller, down to where it can still be read; then it scrolls. */
const LEAST_SCALE = 0.85;
/** How far below its ends the control points of a skipping edge lie. */
const DIP = 42;

export interface LineageGraphProps {
  layout: Layout;
  selected: string | undefined;
  /** The selected node with its ancestors and descendants; the rest fades. */
  near: ReadonlySet<string> | undefined;
  runs: RunNames;
  onSelect: (ref: string | undefined) => void;
}

/** The drawing. Tab enters it, arrows go to the nearest node of that side, Enter opens. */
export function LineageGraph(props: LineageGraphProps): JSX.Element {
  const { layout, selected, near, runs, onSelect } = props;
  const trans = useTrans();
  const { openers } = useServices();
  const frame = useRef<HTMLDivElement>(null);
  const byRef = new Map(layout.nodes.map(placed => [placed.node.ref, placed]));
  const entry =
    selected !== undefined && byRef.has(selected) ? selected : layout.nodes[0]?.node.ref;

  useEffect(() => {
    if (selected !== undefined) {
      drawn(frame.current, selected)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
  }, [selected]);

  const open = (ref: string): void => {
    const kind = ref.slice(0, ref.indexOf(':'));
    if (openers.has(kind)) {
      void openers.open(ref);
    }
  };
  const onKeyDown = (event: KeyboardEvent, placed: Placed): void => {
    if (event.key === 'Enter') {
      open(placed.node.ref);
    } else if (event.key === ' ') {
      onSelect(placed.node.ref);
    } else if (event.key === 'Escape') {
      onSelect(undefined);
    } else {
      const next = toward(layout.nodes, placed, event.key);
      if (next === undefined) {
        return;
      }
      onSelect(next.node.ref);
      drawn(frame.current, next.node.ref)?.focus();
    }
    event.preventDefault();
  };

  return (
    <div className="pj-Lineage-frame" ref={frame}>
      <svg
        className="pj-Lineage-graph"
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        style={{
          width: '100%',
          minWidth: layout.width * LEAST_SCALE,
          maxWidth: layout.width
        }}
        role="group"
        aria-label={trans.__('Lineage of the project, %1 nodes', layout.nodes.length)}
        onClick={event => {
          if (event.target === event.currentTarget) {
            onSelect(undefined);
          }
        }}
      >
        {layout.edges.map(edge => {
          const from = byRef.get(edge.src);
          const to = byRef.get(edge.dst);
          if (from === undefined || to === undefined) {
            return null;
          }
          const lit = near === undefined || (near.has(edge.src) && near.has(edge.dst));
          return (
            <path
              key={`${edge.src} ${edge.dst} ${edge.role}`}
              className={classes(
                'pj-Lineage-edge',
                !lit && 'pj-mod-faded',
                near !== undefined && lit && 'pj-mod-lit'
              )}
              d={curve(from, to)}
            >
              <title>{edge.role}</title>
            </path>
          );
        })}
        {layout.nodes.map(placed => {
          const { node, x, y } = placed;
          const kind = kindName(node.kind, trans);
          const name = nodeLabel(node, runs);
          return (
            <g
              key={node.ref}
              data-ref={node.ref}
              role="button"
              aria-pressed={node.ref === selected}
              aria-label={`${kind} ${name}`}
              tabIndex={node.ref === entry ? 0 : -1}
              transform={`translate(${x} ${y})`}
              className={classes(
                'pj-Lineage-node',
                node.ref === selected && 'pj-mod-selected',
                near !== undefined && !near.has(node.ref) && 'pj-mod-faded'
              )}
              onClick={() => onSelect(node.ref)}
              onDoubleClick={() => open(node.ref)}
              onKeyDown={event => onKeyDown(event, placed)}
            >
              <title>{`${node.ref}\n${relative(node.at)} · ${node.by}`}</title>
              <rect width={BOX.width} height={BOX.height} rx="4" />
              <text className="pj-Lineage-kind" x="10" y="15">
                {kind}
              </text>
              <text className="pj-Lineage-name" x="10" y="31">
                {shorten(name, 20)}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** The drawing of a node. */
function drawn(frame: HTMLElement | null, ref: string): SVGGElement | undefined {
  return [...(frame?.querySelectorAll<SVGGElement>('[data-ref]') ?? [])].find(
    group => group.dataset['ref'] === ref
  );
}

function shorten(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const tail = text.slice(text.lastIndexOf(' '));
  return `${text.slice(0, most - tail.length - 1)}…${tail}`;
}

function curve(from: Placed, to: Placed): string {
  const x0 = from.x + BOX.width;
  const y0 = from.y + BOX.height / 2;
  const x1 = to.x;
  const y1 = to.y + BOX.height / 2;
  const bend = Math.max(24, (x1 - x0) / 2);
  // What skips a column goes below the boxes on its way, and not through them.
  const dip = x1 - x0 > BOX.width ? DIP : 0;
  return `M${x0} ${y0}C${x0 + bend} ${y0 + dip} ${x1 - bend} ${y1 + dip} ${x1} ${y1}`;
}

/** The nearest node on the side of an arrow key. */
function toward(nodes: readonly Placed[], from: Placed, key: string): Placed | undefined {
  const sideways = key === 'ArrowRight' || key === 'ArrowLeft';
  const sign = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[key];
  if (sign === undefined) {
    return undefined;
  }
  let best: Placed | undefined;
  let least = Infinity;
  for (const to of nodes) {
    const along = sign * (sideways ? to.x - from.x : to.y - from.y);
    const across = Math.abs(sideways ? to.y - from.y : to.x - from.x);
    const distance = along + (sideways ? across / 2 : across * 10);
    if (along > 0 && distance < least) {
      best = to;
      least = distance;
    }
  }
  return best;
}
