/** What an endpoint answered, read without losing a digit. */

import type { Field } from '../api';

export interface Output {
  name: string;
  /** The words or digits, as the endpoint wrote them. */
  values: string[];
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parse JSON, with integers that a browser would round as strings of their digits. */
export function parseExactly(body: string): unknown {
  try {
    return JSON.parse(
      body.replace(STRING_OR_NUMBER, token =>
        /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token
      )
    );
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The outputs of an answer in the Open Inference Protocol; empty when it is not one. */
export function outputsOf(body: string): Output[] {
  const answer = parseExactly(body);
  if (!isRecord(answer) || !Array.isArray(answer.outputs)) {
    return [];
  }
  return answer.outputs.filter(isRecord).map(output => ({
    name: typeof output.name === 'string' ? output.name : '',
    values: Array.isArray(output.data) ? output.data.flat(Infinity).map(wordOf) : []
  }));
}

/** The sentence of a refusal: its message, else the whole body. */
export function messageOf(body: string): string {
  const answer = parseExactly(body);
  if (isRecord(answer)) {
    for (const key of ['message', 'error', 'detail']) {
      if (typeof answer[key] === 'string') {
        return answer[key];
      }
    }
  }
  return body;
}

/** The column that a refusal names; undefined when it names none. */
export function columnOf(body: string, fields: readonly Field[]): string | undefined {
  const answer = parseExactly(body);
  if (isRecord(answer) && typeof answer.column === 'string') {
    const named = answer.column;
    return fields.find(field => field.name === named)?.name;
  }
  const message = messageOf(body);
  const names = fields.map(field => field.name).sort((a, b) => b.length - a.length);
  const quoted = names.find(name =>
    [`'${name}'`, `"${name}"`, `\`${name}\``, `“${name}”`].some(word => message.includes(word))
  );
  return (
    quoted ??
    names.find(name => {
      const at = message.indexOf(name);
      const before = message[at - 1] ?? ' ';
      const after = message[at + name.length] ?? ' ';
      return at >= 0 && !/[\w-]/.test(before) && !/[\w-]/.test(after);
    })
  );
}

/** Indent JSON for reading; other text stays as it is. */
export function indent(body: string): string {
  const answer = parseExactly(body);
  return answer === undefined ? body : JSON.stringify(answer, undefined, 2);
}
