import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

export const RUN_MIME_TYPE = 'application/vnd.perijove.run+json';

/**
 * Show a run's bundle as indented text.
 */
export class RunRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(options: IRenderMime.IRendererOptions) {
    super({ node: document.createElement('pre') });
    this.addClass('pj-run-output');
    this._mimeType = options.mimeType;
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.node.textContent = JSON.stringify(model.data[this._mimeType], undefined, 2);
    return Promise.resolve();
  }

  private readonly _mimeType: string;
}

const extension: IRenderMime.IExtension = {
  id: 'perijove:run-renderer',
  description: 'Renders the card of a tracked run.',
  rendererFactory: {
    safe: true,
    mimeTypes: [RUN_MIME_TYPE],
    createRenderer: options => new RunRenderer(options)
  },
  rank: 0,
  dataType: 'json'
};

export default extension;
