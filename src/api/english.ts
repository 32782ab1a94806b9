import type { TranslationBundle } from '@jupyterlab/translation';

type Argument = string | number;

function fill(text: string, args: Argument[]): string {
  return text.replace(/%(\d+)/g, (found, index: string) => {
    const value = args[Number(index) - 1];
    return value === undefined ? found : String(value);
  });
}

function gettext(text: string, ...args: Argument[]): string {
  return fill(text, args);
}

function ngettext(one: string, many: string, amount: number, ...args: Argument[]): string {
  return fill(amount === 1 ? one : many, [amount, ...args]);
}

function pgettext(_context: string, text: string, ...args: Argument[]): string {
  return fill(text, args);
}

function npgettext(
  _context: string,
  one: string,
  many: string,
  amount: number,
  ...args: Argument[]
): string {
  return ngettext(one, many, amount, ...args);
}

/** The texts as they stand in the source, with their placeholders filled. */
export const english: TranslationBundle = {
  locale: 'en',
  __: gettext,
  _n: ngettext,
  _p: pgettext,
  _np: npgettext,
  gettext,
  ngettext,
  pgettext,
  npgettext,
  dcnpgettext: (_domain, context, one, many, amount, ...args: Argument[]) =>
    npgettext(context, one, many, amount, ...args)
} as TranslationBundle;
