/** Commands of this step that others may execute. */
export namespace CommandIDs {
  export const openOperate = 'perijove:open-operate';
  /** Stop what runs, after the question of its step: `{ kind, id, name? }`. */
  export const stopActivity = 'perijove:stop-activity';
}
