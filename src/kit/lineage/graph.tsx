import type { KeyboardEvent } from 'react';
import { useEffect, useRef } from 'react';

import { classes } from '../classes';
import { relative } from '../format';
import { useOpen } from '../open';
import { useServices, useTrans } from '../services';
import { BOX, walk, type Layout, type Placed } from './layout';
import { isFinding, kindName, nodeLabel, type RunNames } from './names';

/** A wide graph is drawn smaller, down to where it can still be read; then it scrolls. */
const LEAST_SCALE = 0.85;
/** How far below its ends the control points of a skipping edge lie. */
const DIP = 42;

export interface LineageGraphProps {
  layout: Layout;
  /** The node that the page is about. */
  focus?: string;
  selected: string | undefined;
  /** The node that takes the keyboard's focus now. */
  jumped?: string;
  /** The selected node with its ancestors and descendants; the rest fades. */
  near: ReadonlySet<string> | undefined;
  runs: RunNames;
  onSelect: (ref: string | undefined) => void;
}

/** The drawing. Tab enters it, arrows walk along the edges, Enter opens. */
export function LineageGraph(props: LineageGraphProps): JSX.Element {
  const { layout, focus, selected, jumped, near, runs, onSelect } = props;
  const trans = useTrans();
  const { openers } = useServices();
  const openRef = useOpen();
  const frame = useRef<HTMLDivElement>(null);
  const byRef = new Map(layout.nodes.map(placed => [placed.node.ref, placed]));
  const entry =
    [selected, focus].find(ref => ref !== undefined && byRef.has(ref)) ?? layout.nodes[0]?.node.ref;

  useEffect(() => {
    if (selected !== undefined) {
      drawn(frame.current, selected)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
  }, [selected]);

  useEffect(() => {
    if (jumped !== undefined) {
      drawn(frame.current, jumped)?.focus();
    }
  }, [jumped]);

  const open = (ref: string): void => {
    const kind = ref.slice(0, ref.indexOf(':'));
    if (openers.has(kind)) {
      openRef(ref);
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
      const next = walk(layout, placed, event.key);
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
          const name = nodeLabel(node, runs, trans);
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
                node.ref === focus && 'pj-mod-focus',
                near !== undefined && !near.has(node.ref) && 'pj-mod-faded'
              )}
              onClick={() => onSelect(node.ref)}
              onDoubleClick={() => open(node.ref)}
              onKeyDown={event => onKeyDown(event, placed)}
            >
              <title>{`${node.ref}\n${relative(node.at)} · ${node.by}`}</title>
              <rect
                width={BOX.width}
                height={BOX.height}
                rx={isFinding(node.kind) ? BOX.height / 2 : 4}
              />
              <text className="pj-Lineage-kind" x={isFinding(node.kind) ? 18 : 10} y="15">
                {kind}
              </text>
              <text className="pj-Lineage-name" x={isFinding(node.kind) ? 18 : 10} y="31">
                {shorten(name, isFinding(node.kind) ? 18 : 20)}
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
