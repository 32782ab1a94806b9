import type { TranslationBundle } from '@jupyterlab/translation';

import { english } from './english';

/** What a function needs of the translations to say something. */
export type Trans = Pick<TranslationBundle, '__' | '_n'>;

let current: Trans = english;

/** Say from now on what is said outside of any component, such as errors, in this language. */
export function speak(trans: Trans): void {
  current = trans;
}

/** The translations where no component hands them on. A page has one language. */
export function spoken(): Trans {
  return current;
}

/** The locale of numbers and times: JupyterLab's language; the browser's where it says none. */
export function locale(): string | undefined {
  const lang = typeof document === 'undefined' ? '' : document.documentElement.lang;
  return lang === '' ? undefined : lang;
}
