import { useEffect, useRef, useState } from 'react';
import type { Config, TopLevelSpec } from 'vega-lite';

import { PerijoveError, asPerijoveError } from '../api/errors';
import { ErrorView } from './feedback';
import { PALETTE } from './palette';
import { useTrans, useVisible } from './services';
import { themeValue, useTheme } from './theme';

export type VegaSpec = TopLevelSpec;

export interface VegaPlotProps {
  /** What it shows, for screen readers. */
  label: string;
  /** A specification of Vega-Lite, or of Vega where it says so. Another object draws anew. */
  spec: VegaSpec;
  /** Takes the width that there is, which a specification of somebody else's may not bear. */
  fill?: boolean;
}

/**
 * A plot of Vega-Lite in the theme's colours.
 *
 * #### Notes
 * A specification may come from a file that anybody wrote. Its expressions are interpreted and not
 * compiled, nothing is loaded for it, and it has no say in how it is embedded.
 */
export function VegaPlot({ label, spec, fill = false }: VegaPlotProps): JSX.Element {
  const trans = useTrans();
  const visible = useVisible();
  const theme = useTheme();
  const frame = useRef<HTMLDivElement>(null);
  const [error, setError] = useState<PerijoveError>();
  useEffect(() => {
    const node = frame.current;
    if (node === null || !visible) {
      return;
    }
    let gone = false;
    let finalize: (() => void) | undefined;
    const draw = async (): Promise<void> => {
      const { default: embed } = await import('vega-embed');
      if (gone) {
        return;
      }
      const refuse = (): Promise<never> =>
        Promise.reject(new Error(trans.__('A plot may hold its data, and not load it.')));
      const { usermeta: _, ...safe } = spec;
      const drawn = await embed(
        node,
        { ...safe, ...(fill && { width: 'container', autosize: 'fit-x' }) },
        {
          actions: false,
          ast: true,
          renderer: 'canvas',
          config: configOf(node),
          loader: { load: refuse, sanitize: refuse, http: refuse, file: refuse } as never
        }
      );
      finalize = () => drawn.finalize();
      if (gone) {
        finalize();
      }
    };
    setError(undefined);
    draw().catch((failure: unknown) => {
      if (!gone) {
        setError(
          new PerijoveError({
            code: 'plot_failed',
            message: trans.__('The plot cannot be drawn: %1', asPerijoveError(failure).message),
            hint: ''
          })
        );
      }
    });
    return () => {
      gone = true;
      finalize?.();
      node.replaceChildren();
    };
  }, [spec, visible, theme, fill, trans]);
  return (
    <div className="pj-Vega" role="img" aria-label={label}>
      {error !== undefined && <ErrorView error={error} compact />}
      <div className="pj-Vega-frame" ref={frame} />
    </div>
  );
}

function configOf(node: HTMLElement): Config {
  const text = themeValue(node, '--jp-ui-font-color1');
  const quiet = themeValue(node, '--jp-ui-font-color2');
  const line = themeValue(node, '--jp-border-color2');
  const font = themeValue(node, '--jp-ui-font-family');
  return {
    background: 'transparent',
    font,
    range: { category: [...PALETTE] },
    axis: {
      labelColor: quiet,
      titleColor: text,
      titleFontWeight: 'normal',
      gridColor: line,
      domainColor: line,
      tickColor: line
    },
    legend: { labelColor: quiet, titleColor: text, titleFontWeight: 'normal' },
    title: { color: text },
    header: { labelColor: quiet, titleColor: text },
    view: { stroke: 'transparent' },
    mark: { color: PALETTE[0]! },
    text: { color: text }
  };
}
