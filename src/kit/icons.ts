import { LabIcon } from '@jupyterlab/ui-components';

/** A line drawing of 24 x 24, in the colour that the theme gives to icons. */
function line(name: string, body: string): LabIcon {
  return new LabIcon({
    name: `perijove:${name}`,
    svgstr:
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24" fill="none">' +
      '<g class="jp-icon3" stroke="#616161" stroke-width="1.8" ' +
      `stroke-linecap="round" stroke-linejoin="round">${body}</g></svg>`
  });
}

function dot(x: number, y: number, radius: number): string {
  return `<circle class="jp-icon3" fill="#616161" stroke-width="0" cx="${x}" cy="${y}" r="${radius}"/>`;
}

/** An orbit, what it goes around, and the dot at its nearest point. */
export const perijoveIcon = line(
  'perijove',
  '<g transform="rotate(-35 12 12)"><ellipse cx="12.5" cy="12" rx="9.5" ry="8"/>' +
    `${dot(9.5, 12, 2.4)}${dot(3, 12, 2.9)}</g>`
);

/** A flag on its pole: what is to be reached. */
export const problemIcon = line(
  'problem',
  '<path d="M6 21V4M6 4.5c4-2.5 7 2.5 12 0v8.5c-5 2.5-8-2.5-12 0"/>'
);

export const dataIcon = line(
  'data',
  '<ellipse cx="12" cy="5.5" rx="7.5" ry="3"/><path d="M4.5 5.5v13c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3v-13"/>' +
    '<path d="M4.5 12c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3"/>'
);

/** A curve that levels off over its axes. */
export const developIcon = line(
  'develop',
  '<path d="M3.5 3.5v17h17"/><path d="M7 17c1.5-8 5-10.5 12-11"/>'
);

/** What goes on by itself: it plays inside of a turn. */
export const backgroundIcon = line(
  'background',
  '<path d="M10 8.5v7l6-3.5z"/><path d="M20.5 12a8.5 8.5 0 1 1-3-6.5M17.5 2.5v3.5h-3.5"/>'
);

/** A box that goes up. */
export const deployIcon = line(
  'deploy',
  '<path d="M12 14.5V3.5M8 7l4-3.5L16 7"/><path d="M7 11H4v9.5h16V11h-3"/>'
);

export const monitorIcon = line('monitor', '<path d="M2.5 12.5h4.5l3-8 4.5 15 3-7h4"/>');

/** A chip with its pins. */
export const operateIcon = line(
  'operate',
  '<rect x="6" y="6" width="12" height="12" rx="1.5"/><path d="M9.5 2.5V6M14.5 2.5V6M9.5 18v3.5M14.5 18v3.5' +
    'M2.5 9.5H6M2.5 14.5H6M18 9.5h3.5M18 14.5h3.5"/>'
);

/** Nodes from left to right. */
export const lineageIcon = line(
  'lineage',
  '<circle cx="5" cy="6" r="2.5"/><circle cx="5" cy="18" r="2.5"/><circle cx="19" cy="12" r="2.5"/>' +
    '<path d="M7.5 6.5c5 .5 4.5 5 9 5.2M7.5 17.5c5-.5 4.5-5 9-5.2"/>'
);
