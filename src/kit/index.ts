/**
 * What all pages are made of. No module below imports JupyterLab at run time, so that a component
 * and its test load in a moment; what needs JupyterLab is in `./lab`.
 *
 * A page in five lines, in a step's `plugin.ts`:
 *
 * ```ts
 * import { registerPage, dataIcon } from '../kit/lab';
 *
 * registerPage<{ name: string }>(app, perijove, {
 *   kind: 'dataset',                            // the command is perijove:open-dataset
 *   label: trans.__('Open dataset'),
 *   icon: dataIcon,
 *   load: () => import('./components/dataset_page'),
 *   title: args => args.name,
 *   name: args => args.name                     // a tab for each dataset
 * }, { restorer, palette });
 * perijove.openers.add('data', ref => app.commands.execute('perijove:open-dataset', { name: ref.name }));
 * ```
 *
 * and its component, the default export of `components/dataset_page.tsx`:
 *
 * ```tsx
 * export default function DatasetPage({ args }: PageProps<{ name: string }>): JSX.Element {
 *   const trans = useTrans();
 *   const dataset = useResource(['dataset', args.name], ['data'], (client, signal) =>
 *     client.get('/datasets/{name}', { path: { name: args.name }, signal })
 *   );
 *   return (
 *     <Loaded resource={dataset}>
 *       {data => (
 *         <>
 *           <PageHeader kind={trans.__('Dataset')} title={data.name} actions={<Button …/>} />
 *           <Section title={trans.__('Columns')}>…</Section>
 *         </>
 *       )}
 *     </Loaded>
 *   );
 * }
 * ```
 *
 * - `useResource(key, topics, fetch)` asks, keeps the old answer while it refreshes, asks again
 *   when one of the topics changes, and sleeps while the page is hidden. Who asks with the same
 *   key shares the answer; with `every` it is asked for again and again. `Loaded` shows it.
 * - `useAction(act)` gives `{ run, busy, error }` for what the user does. A command that has an
 *   effect is added by `addEffect` of `./lab`, which asks first.
 * - `useServices()` gives the client, the events, the project and the commands; `useOpen()`
 *   opens a reference, and tells when it cannot; `useTrans()` the translations.
 * - `useKept(key, initial, read)` is state that comes back with the page after a reload.
 * - Numbers: `<Figure value>` (metrics), `count`, `bytes`, `duration`, `percent`; `<Time at>`.
 * - Lists: `DataTable`, with rows of 28 px of which only those in view exist; `LongTable` where
 *   the rows themselves come as they are looked at.
 * - Curves: `Chart` (lines; it loads uPlot when it is in view), `Sparkline`, `Meter`;
 *   `colorOf(run_id)` gives a run the same colour everywhere.
 * - Styles are in `style/kit.css`; a step's own in `style/<step>.css`, with `pj-<Name>` classes.
 */
export { useAction, type Action } from './action';
export { Button, IconButton, type ButtonProps, type IconButtonProps } from './button';
export { Chart } from './chart';
export { Chip, type ChipProps } from './chip';
export { classes } from './classes';
export { describe, filterOfAll, type SortKey } from './conditions';
export { Empty, ErrorView, Loaded, LoadingBar, Skeleton } from './feedback';
export { FilterEditor, type FilterColumn } from './filter_editor';
export {
  CheckField,
  FormRow,
  NumberField,
  SelectField,
  TextAreaField,
  TextField,
  parseNumber,
  type Option
} from './form';
export {
  NOTHING,
  absolute,
  bytes,
  count,
  duration,
  figure,
  full,
  percent,
  relative,
  toNumber
} from './format';
export { PageHeader, Section, type PageHeaderProps } from './header';
export { useKept } from './kept';
export { LongTable, type LongColumn, type LongTableProps } from './long_table';
export { Meter, Sparkline } from './meter';
export type { PageArgs, PageProps } from './page';
export { PALETTE, colorOf } from './palette';
export { useOpen } from './open';
export { RefLink } from './ref';
export { useLoad, useResource, type Resource } from './resource';
export type { ChartProps, ChartSeries } from './series';
export {
  ServicesContext,
  VisibleContext,
  useProjectPath,
  useServices,
  useSignal,
  useTrans,
  useVisible
} from './services';
export { StateGlyph, conditionWord, type Condition } from './state';
export { DataTable, type TableColumn, type TableSort } from './table';
export { Tabs, type Tab } from './tabs';
export { Badge, Ellipsis, Figure, KeyValue, Time } from './values';
