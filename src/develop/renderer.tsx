import { ReactWidget } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { lazy, Suspense } from 'react';

import type { IPerijove, RunCard } from '../api';
import { ServicesContext } from '../kit/services';
import { RUN_MIME_TYPE, readPayload } from './card';

const Card = lazy(() => import('./components/card'));

/**
 * Renders the card of a tracked run in the output of its cell.
 *
 * #### Notes
 * The output holds three words that name the run; all that is shown comes from the store. So a
 * notebook that is opened again shows the run as it is, and an untrusted one can show nothing
 * else.
 */
export class RunRenderer extends ReactWidget implements IRenderMime.IRenderer {
  constructor(
    private readonly _perijove: IPerijove,
    private readonly _mimeType: string
  ) {
    super();
    this.addClass('pj-RunOutput');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._payload = readPayload(model.data[this._mimeType]);
    this.update();
    return Promise.resolve();
  }

  protected override render(): JSX.Element {
    const payload = this._payload;
    if (payload === null) {
      return <p className="pj-mod-quiet">{this._perijove.trans.__('This output names no run.')}</p>;
    }
    return (
      <ServicesContext.Provider value={this._perijove}>
        <Suspense fallback={<div className="pj-Card" />}>
          <Card payload={payload} />
        </Suspense>
      </ServicesContext.Provider>
    );
  }

  private _payload: RunCard | null = null;
}

export function runRendererFactory(perijove: IPerijove): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [RUN_MIME_TYPE],
    createRenderer: ({ mimeType }) => new RunRenderer(perijove, mimeType)
  };
}
