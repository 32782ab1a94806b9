import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';

import { PerijoveError } from './errors';
import { spoken } from './language';
import type { Ref } from './refs';
import { parseRef } from './refs';
import type { IOpeners, Opener } from './tokens';

/** Who opens which kind of reference. */
export class Openers implements IOpeners {
  add(kind: string, opener: Opener): IDisposable {
    if (this._openers.has(kind)) {
      throw new Error(`References of kind '${kind}' have an opener already.`);
    }
    this._openers.set(kind, opener);
    return new DisposableDelegate(() => {
      this._openers.delete(kind);
    });
  }

  has(kind: string): boolean {
    return this._openers.has(kind);
  }

  async open(text: string): Promise<void> {
    const ref: Ref | null = parseRef(text);
    const opener = ref === null ? undefined : this._openers.get(ref.kind);
    if (ref === null || opener === undefined) {
      const trans = spoken();
      throw new PerijoveError({
        code: 'no_opener',
        message: trans.__("Nothing here opens '%1'.", text),
        hint: trans.__('Look at it on the Lineage page.')
      });
    }
    await opener(ref);
  }

  private readonly _openers = new Map<string, Opener>();
}
