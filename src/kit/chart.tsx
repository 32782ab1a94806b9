import { useEffect, useRef } from 'react';

import { figure } from './format';
import { useInView } from './in_view';
import type { Plot } from './plot';
import type { ChartProps, Zoom } from './series';
import { useTrans, useVisible } from './services';
import { useTheme } from './theme';

export type { ChartProps, ChartSeries, Zoom } from './series';

/**
 * Lines over one axis. The plotting library comes when the first chart is in view, and a chart
 * that is not in view draws nothing.
 */
export function Chart(props: ChartProps): JSX.Element {
  const { title, series, height = 180 } = props;
  const trans = useTrans();
  const shown = useVisible();
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const newest = useRef(props);
  const zoom = useRef<Zoom>();
  const inView = useInView(frame);
  const theme = useTheme();

  useEffect(() => {
    newest.current = props;
  });

  const draws = shown && inView;
  const structure = JSON.stringify([
    props.xLabel,
    props.yLabel,
    props.time,
    props.log,
    props.sync,
    height
  ]);

  // The plot itself is made again only when its axes or the theme are other ones.
  useEffect(() => {
    const node = frame.current;
    if (node === null || !draws) {
      return;
    }
    let gone = false;
    let observer: ResizeObserver | undefined;
    void import('./plot').then(({ Plot }) => {
      if (gone) {
        return;
      }
      const made = new Plot(node, newest.current, zoom.current);
      made.light(newest.current.lit);
      plot.current = made;
      observer = new ResizeObserver(() => made.resize());
      observer.observe(node);
    });
    return () => {
      gone = true;
      observer?.disconnect();
      zoom.current = plot.current?.zoom;
      plot.current?.dispose();
      plot.current = null;
    };
  }, [draws, structure, theme]);

  useEffect(() => {
    if (draws) {
      plot.current?.update(newest.current);
    }
  }, [draws, series, props.target, props.marks, props.xRange, props.zoom]);

  useEffect(() => {
    if (draws) {
      plot.current?.light(props.lit);
    }
  }, [draws, props.lit]);

  const summary = series
    .filter(one => one.faint !== true)
    .map(one => trans.__('%1 at %2', one.label, figure(one.y[one.y.length - 1])))
    .join(', ');
  return (
    <figure className="pj-Chart" role="img" aria-label={`${title}: ${summary}`}>
      <figcaption className="pj-Chart-title">
        <span>{title}</span>
        {props.yLabel !== undefined && <span className="pj-Chart-unit">{props.yLabel}</span>}
      </figcaption>
      <div className="pj-Chart-frame" ref={frame} style={{ height }} />
    </figure>
  );
}
