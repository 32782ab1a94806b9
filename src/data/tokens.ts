/** The commands of this step. */
export const CommandIDs = {
  /** Open the list of datasets. */
  open: 'perijove:open-data',
  /** Open one dataset: `{ name, version? }`. */
  openDataset: 'perijove:open-dataset',
  /** Open where data may come from, and register it from there. */
  openSources: 'perijove:open-sources',
  /** Open the tables among the variables of a notebook's kernel: `{ notebook }`, or the current one. */
  openVariables: 'perijove:open-variables',
  /** The same of the notebook that the user is in. */
  showVariables: 'perijove:data-show-variables',
  /** Register the files that are selected in the file browser. */
  register: 'perijove:data-register',
  /** Put code that loads a dataset into the notebook: `{ name }`, or the user is asked. */
  insertSnippet: 'perijove:data-insert-snippet',
  /** Put code into the notebook: `{ code, name }`. */
  insertCode: 'perijove:data-insert-code',
  /** Show the files of the project, to register one. */
  showFiles: 'perijove:data-show-files'
} as const;

/** What the data step registers, by the ending of the file's name. */
export function isTable(path: string): boolean {
  return /\.(csv|tsv|parquet|json|jsonl|ndjson|arrow|feather)$/i.test(path);
}
