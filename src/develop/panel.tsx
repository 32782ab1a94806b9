import { ReactWidget } from '@jupyterlab/apputils';
import { lazy, Suspense } from 'react';

import type { IPerijove } from '../api';
import { Skeleton } from '../kit/feedback';
import { developIcon } from '../kit/lab';
import { ServicesContext, VisibleContext } from '../kit/services';
import type { CurrentNotebook } from './notebook';

const Content = lazy(() => import('./components/notebook_panel'));

/** "This notebook", at the right side. */
export class NotebookPanel extends ReactWidget {
  constructor(
    private readonly _perijove: IPerijove,
    private readonly _notebook: CurrentNotebook
  ) {
    super();
    this.id = 'perijove-this-notebook';
    this.addClass('pj-Notebook');
    this.title.icon = developIcon;
    this.title.caption = _perijove.trans.__('This Notebook: its runs, data, models and endpoints');
  }

  protected override render(): JSX.Element {
    return (
      <ServicesContext.Provider value={this._perijove}>
        <VisibleContext.Provider value={this.isVisible}>
          <Suspense fallback={<Skeleton />}>
            <Content notebook={this._notebook} />
          </Suspense>
        </VisibleContext.Provider>
      </ServicesContext.Provider>
    );
  }

  protected override onAfterShow(): void {
    this.update();
  }

  protected override onAfterHide(): void {
    this.update();
  }
}
