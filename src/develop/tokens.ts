/** Commands of this step. */
export namespace CommandIDs {
  /** Open the list of runs. */
  export const open = 'perijove:open-develop';
  /** Open the page of a run: `{ run_id }`. */
  export const openRun = 'perijove:open-run';
  /** Stop a run, after a question: `{ run_id, name? }`. */
  export const stopRun = 'perijove:stop-run';
  /** Show the panel of the current notebook. */
  export const showNotebook = 'perijove:show-this-notebook';
}
