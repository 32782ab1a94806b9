import { classes } from '../../kit/classes';

/** Line drawings that stand in a row of the table. */
const PATHS = {
  star: 'M8 1.8l1.9 4 4.3.5-3.2 3 .9 4.3L8 11.4l-3.9 2.2.9-4.3-3.2-3 4.3-.5z',
  pin: 'M5.5 2h5l-.6 4.2 2.1 2.3v1.2H4V8.5l2.1-2.3zM8 9.7V14.5',
  note: 'M3 2.5h10v8l-3 3H3zM5.3 5.8h5.4M5.3 8.4h3.4',
  best: 'M4.5 2.5h7v3.8a3.5 3.5 0 0 1-7 0zM4.5 3.8H2.4c0 2.4.9 3.4 2.4 3.4M11.500 3.8h2.1c0 2.4-.9 3.4-2.4 3.4M8 9.800v2.400M5.500 13.500h5'
} as const;

export type MarkName = keyof typeof PATHS;

/** A small drawing in the colour of the text around it. */
export function Mark({ name, filled = false }: { name: MarkName; filled?: boolean }): JSX.Element {
  return (
    <svg
      className={classes('pj-Mark', filled && 'pj-mod-filled')}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A mark that a click gives or takes. */
export function MarkButton(props: {
  name: MarkName;
  on: boolean;
  label: string;
  onClick: () => void;
}): JSX.Element {
  return (
    <button
      type="button"
      tabIndex={-1}
      className={classes('pj-MarkButton', props.on && 'pj-mod-on')}
      aria-pressed={props.on}
      aria-label={props.label}
      title={props.label}
      onClick={props.onClick}
    >
      <Mark name={props.name} filled={props.on} />
    </button>
  );
}
