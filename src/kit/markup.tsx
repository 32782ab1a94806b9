import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { useEffect, useRef, useState } from 'react';

import { useServices } from './services';

const MARKDOWN = 'text/markdown';

/**
 * Markdown as JupyterLab shows that of a notebook nobody trusts: sanitized. It is plain text where
 * there is no renderer for it.
 */
export function Markdown({ text }: { text: string }): JSX.Element {
  const { rendermime } = useServices();
  const frame = useRef<HTMLDivElement>(null);
  const [plain, setPlain] = useState(rendermime === null);
  useEffect(() => {
    const node = frame.current;
    if (node === null || rendermime === null) {
      return;
    }
    const renderer = rendermime.createRenderer(MARKDOWN);
    let gone = false;
    void renderer
      .renderModel(untrusted(text))
      .then(() => {
        if (!gone) {
          Widget.attach(renderer, node);
        }
      })
      .catch((error: unknown) => {
        console.warn('Perijove: Markdown cannot be rendered', error);
        setPlain(true);
      });
    return () => {
      gone = true;
      if (renderer.isAttached) {
        MessageLoop.sendMessage(renderer, Widget.Msg.BeforeDetach);
        renderer.node.remove();
        MessageLoop.sendMessage(renderer, Widget.Msg.AfterDetach);
      }
      renderer.dispose();
    };
  }, [rendermime, text]);
  return plain ? (
    <pre className="pj-Code pj-mod-wrap">{text}</pre>
  ) : (
    <div className="pj-Markdown" ref={frame} />
  );
}

function untrusted(text: string): IRenderMime.IMimeModel {
  return {
    trusted: false,
    data: { [MARKDOWN]: text },
    metadata: {},
    setData: () => undefined
  };
}
