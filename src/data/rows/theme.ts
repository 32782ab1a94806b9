import type { DataGrid } from '@lumino/datagrid';

/** The colours and fonts of a grid, read from the theme that JupyterLab shows. */
export interface IGridTheme {
  style: DataGrid.Style;
  text: string;
  quiet: string;
  header: string;
  /** Of the small histograms, and of the share that is missing. */
  bar: string;
  missing: string;
  font: string;
  headerFont: string;
  typeFont: string;
  /** Of the font, in pixels. */
  size: number;
  rowHeight: number;
  headerHeight: number;
}

/** Room for a small histogram under the name and the type of a column. */
export const GRAPH_HEIGHT = 24;

/** A canvas knows no variables of CSS: read them for it. */
export function gridTheme(node: HTMLElement): IGridTheme {
  const styles = getComputedStyle(node);
  const read = (name: string): string => styles.getPropertyValue(name).trim();
  const layout = read('--jp-layout-color1');
  const header = read('--jp-layout-color2');
  const line = read('--jp-border-color2');
  const brand = read('--jp-brand-color1');
  const selection = faded(node, brand, 0.16);
  const size = parseFloat(read('--jp-ui-font-size1')) || 13;
  const family = read('--jp-ui-font-family');
  const code = read('--jp-code-font-family');
  return {
    style: {
      voidColor: layout,
      backgroundColor: layout,
      rowBackgroundColor: undefined,
      verticalGridLineColor: line,
      horizontalGridLineColor: line,
      headerBackgroundColor: header,
      headerGridLineColor: read('--jp-border-color2'),
      selectionFillColor: selection,
      selectionBorderColor: brand,
      cursorFillColor: faded(node, brand, 0.08),
      cursorBorderColor: brand,
      headerSelectionFillColor: selection,
      headerSelectionBorderColor: 'transparent',
      scrollShadow: {
        size: 6,
        color1: faded(node, read('--jp-border-color0'), 0.35),
        color2: faded(node, read('--jp-border-color0'), 0.15),
        color3: faded(node, read('--jp-border-color0'), 0)
      }
    },
    text: read('--jp-ui-font-color1'),
    quiet: read('--jp-ui-font-color3'),
    header: read('--jp-ui-font-color1'),
    bar: faded(node, brand, 0.45),
    missing: read('--jp-warn-color1'),
    font: `${size}px ${code}`,
    headerFont: `600 ${size}px ${family}`,
    typeFont: `${size - 2}px ${family}`,
    size,
    rowHeight: Math.round(size * 1.85),
    headerHeight: Math.round(size * 3.2) + GRAPH_HEIGHT
  };
}

/** A colour of any notation with another opacity. */
function faded(node: HTMLElement, color: string, opacity: number): string {
  const probe = document.createElement('span');
  probe.style.color = color;
  node.appendChild(probe);
  const found = /rgba?\((\d+),\s*(\d+),\s*(\d+)/.exec(getComputedStyle(probe).color);
  probe.remove();
  const [, red, green, blue] = found ?? [];
  return found ? `rgba(${red}, ${green}, ${blue}, ${opacity})` : 'transparent';
}
