/** What a terminal would do with colours and the like; here it is nothing but text. */
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/**
 * What a process printed, as it stands on a terminal in the end: without colours, and with a line
 * that was written over, such as that of a progress bar, as it was last.
 */
export function printable(text: string): string {
  return text.replace(ESCAPES, '').replace(/\r+\n/g, '\n').split('\n').map(overwritten).join('\n');
}

function overwritten(line: string): string {
  if (!line.includes('\r') && !line.includes('\b')) {
    return line;
  }
  const shown: string[] = [];
  let at = 0;
  for (const char of line) {
    if (char === '\r') {
      at = 0;
    } else if (char === '\b') {
      at = Math.max(0, at - 1);
    } else {
      shown[at] = char;
      at += 1;
    }
  }
  return shown.join('');
}
