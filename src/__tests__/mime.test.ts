import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { describe, expect, it } from 'vitest';

import extension, { RUN_MIME_TYPE } from '../mime';

describe('the run renderer', () => {
  const extensions = [extension];
  const factory = extensions[0]!.rendererFactory;

  async function render(data: unknown): Promise<HTMLElement> {
    const options = { mimeType: RUN_MIME_TYPE } as IRenderMime.IRendererOptions;
    const renderer = factory.createRenderer(options);
    await renderer.renderModel({
      data: { [RUN_MIME_TYPE]: data }
    } as unknown as IRenderMime.IMimeModel);
    return renderer.node;
  }

  it('is offered for its own MIME type, in untrusted notebooks too', () => {
    expect(factory.mimeTypes).toEqual([RUN_MIME_TYPE]);
    expect(factory.safe).toBe(true);
  });

  it('puts markup into the page as text', async () => {
    const node = await render({ name: '<img src=x onerror="alert(1)">' });
    expect(node.querySelector('img')).toBeNull();
    expect(node.textContent).toContain('<img src=x');
  });
});
