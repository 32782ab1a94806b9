/** Commands of this step that others may execute. */
export namespace CommandIDs {
  /** Open the Project page: `{ edit?, tab? }`. */
  export const openProject = 'perijove:open-problem';
  /** Open the Lineage page: `{ ref? }`. */
  export const openLineage = 'perijove:open-lineage';
  /** Open the Project page with its form. The sidebar offers it while there is no target. */
  export const setTarget = 'perijove:next-problem';
  /** Put the user's name under the targets, after a question. */
  export const signOff = 'perijove:sign-off';
}
