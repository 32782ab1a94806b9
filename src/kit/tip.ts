import type { Reading } from './lines';

/** More values than these do not fit beside the pointer. */
const TOLD = 30;

export interface Told {
  /** Where the chart is in the window, and how far from its left the pointer. */
  frame: DOMRect;
  left: number;
  head: string;
  readings: readonly Reading[];
  /** The line under the pointer. */
  near: string | undefined;
  format: (value: number) => string;
}

/** What is told beside the pointer. It lies above the page, which may be less high than it. */
export class Tip {
  show({ frame, left, head, readings, near, format }: Told): void {
    const node = this._made();
    const title = document.createElement('div');
    title.className = 'pj-Chart-at';
    title.textContent = head;
    const lines = readings.slice(0, TOLD).map(({ series, color, value }) => {
      const row = document.createElement('div');
      const dot = document.createElement('span');
      dot.className = 'pj-Chart-dot';
      dot.style.background = color;
      row.className = series.key === near ? 'pj-Chart-near' : '';
      row.append(dot, `${series.label} ${value === null ? '–' : format(value)}`);
      return row;
    });
    node.replaceChildren(title, ...lines);
    node.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = node;
    const right = frame.left + left + 12;
    const x = right + width > window.innerWidth ? right - 24 - width : right;
    const y = Math.min(frame.top + 4, window.innerHeight - height - 4);
    node.style.transform = `translate(${Math.max(0, x)}px, ${Math.max(0, y)}px)`;
  }

  hide(): void {
    if (this._node !== null) {
      this._node.hidden = true;
    }
  }

  dispose(): void {
    this._node?.remove();
    this._node = null;
  }

  private _made(): HTMLElement {
    if (this._node === null) {
      this._node = document.createElement('div');
      this._node.className = 'pj-Chart-tip';
      document.body.appendChild(this._node);
    }
    return this._node;
  }

  private _node: HTMLElement | null = null;
}
