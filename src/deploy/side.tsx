import { Clipboard, ReactWidget } from '@jupyterlab/apputils';
import { Suspense, lazy } from 'react';

import type { IPerijove } from '../api';
import { ServicesContext, Skeleton, VisibleContext } from '../kit';
import { deployIcon } from '../kit/lab';

const Form = lazy(() => import('./components/side'));

/** Copy to the clipboard; works where the browser holds the page to be insecure, too. */
export function copy(text: string): void {
  Clipboard.copyToSystem(text);
}

export interface SideArgs {
  /** Reference of the model to start with. */
  model?: string | undefined;
  /** Name of the endpoint to start with. */
  endpoint?: string | undefined;
  /** Path of the notebook in front, relative to the project; empty when there is none. */
  notebook: string;
}

/** The form that deploys a model, at the right side. */
export class DeploySide extends ReactWidget {
  constructor(private readonly _perijove: IPerijove) {
    super();
    const { trans } = _perijove;
    this.id = 'perijove-deploy-side';
    this.addClass('pj-DeploySide');
    this.title.icon = deployIcon;
    this.title.caption = trans.__('Deploy Model');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Deploy model'));
    this.node.tabIndex = -1;
  }

  /** Begin anew with these values. */
  begin(args: SideArgs): void {
    this._args = args;
    this._turn += 1;
    this.update();
  }

  protected override render(): JSX.Element {
    return (
      <ServicesContext.Provider value={this._perijove}>
        <VisibleContext.Provider value={this.isVisible}>
          <Suspense fallback={<Skeleton lines={8} />}>
            <Form key={this._turn} {...this._args} copy={copy} />
          </Suspense>
        </VisibleContext.Provider>
      </ServicesContext.Provider>
    );
  }

  protected override onActivateRequest(): void {
    this.node.focus({ preventScroll: true });
  }

  protected override onAfterShow(): void {
    this.update();
  }

  protected override onAfterHide(): void {
    this.update();
  }

  private _args: SideArgs = { notebook: '' };
  private _turn = 0;
}
