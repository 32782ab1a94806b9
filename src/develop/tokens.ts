/** Commands of this step. */
export namespace CommandIDs {
  /** Open the list of runs. */
  export const open = 'perijove:open-develop';
  /** Open the page of a run: `{ run_id, tab? }`. */
  export const openRun = 'perijove:open-run';
  /** Stop a run, after a question: `{ run_id, name? }`. */
  export const stopRun = 'perijove:stop-run';
  /** Prove a run by running it again, after a question: `{ run_id, name? }`. */
  export const rerunRun = 'perijove:rerun-run';
  /** Open runs side by side: `{ run_ids }`; the others are told from the first. */
  export const compare = 'perijove:open-compare';
  /** Open a run beside the best one of the project: `{ run_id }`. */
  export const compareWithBest = 'perijove:compare-with-best';
  /** Open the notebook at a cell that made a run: `{ notebook, number, source }`. */
  export const showCell = 'perijove:show-cell';
  /** Write the cells that made a run into a notebook, and open it: `{ run_id, name? }`. */
  export const saveRunNotebook = 'perijove:save-run-notebook';
  /** Send the active cell of the notebook to a job, after a review. */
  export const trainInBackground = 'perijove:train-in-background';
  /** The same, of the runs that are chosen on the page of runs: `{ run_ids? }`. */
  export const compareRuns = 'perijove:compare-runs';
  /** Star runs: `{ run_ids? }`. */
  export const starRuns = 'perijove:star-runs';
  /** Delete runs, after a question: `{ run_ids? }`. */
  export const deleteRuns = 'perijove:delete-runs';
  /** Restore deleted runs: `{ run_ids? }`. */
  export const restoreRuns = 'perijove:restore-runs';
  /** Save the runs of the table as CSV: `{ run_ids?, look?, columns? }`. */
  export const exportRuns = 'perijove:export-runs';
  /** Show the panel of the current notebook. */
  export const showNotebook = 'perijove:show-this-notebook';
}
