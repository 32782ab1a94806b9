/** Commands of this step that others may execute. */
export namespace CommandIDs {
  /** Open the page of the open alerts. */
  export const openAlerts = 'perijove:open-alerts';
  /** Say that one looks after an alert, after a question: `{ alert, title }`. */
  export const acknowledgeAlert = 'perijove:acknowledge-alert';
}
