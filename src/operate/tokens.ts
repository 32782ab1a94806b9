/** Commands of this step that others may execute. */
export namespace CommandIDs {
  export const openOperate = 'perijove:open-operate';
  /** Stop a run or an endpoint, after a question: `{ kind, id, name? }`. */
  export const stopActivity = 'perijove:stop-activity';
}
