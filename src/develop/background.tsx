import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { CodeCell, ICodeCellModel } from '@jupyterlab/cells';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { Suspense, lazy } from 'react';

import {
  PerijoveError,
  asPerijoveError,
  type BackgroundReply,
  type BackgroundRequest,
  type IPerijove,
  type RunCard
} from '../api';
import { KernelComm } from '../kit/comm';
import { Skeleton } from '../kit/feedback';
import { notifyDone } from '../kit/lab';
import { ServicesContext } from '../kit/services';
import { RUN_MIME_TYPE } from './card';
import { firstChoice, readChoice, type IChoice, type IReviewed } from './review';

/** The comm's target; `perijove/contracts/background.py` says what is said over it. */
const TARGET = 'perijove.background';

const Review = lazy(() => import('./components/background_form'));

type Comm = KernelComm<BackgroundRequest, BackgroundReply>;

/**
 * Send the active cell of a notebook to a job, after a short review of the cells that go along.
 * The run's card takes the place of the cell's output.
 */
export async function trainInBackground(
  perijove: IPerijove,
  notebooks: INotebookTracker | null
): Promise<void> {
  const { cell, kernel } = activeCell(perijove, notebooks);
  const { model } = cell;
  const comm: Comm = new KernelComm(kernel, TARGET, perijove.trans);
  try {
    const asked = { source: model.sharedModel.source, cell_id: model.id };
    const { reply } = await comm.ask({ op: 'review', ...asked });
    if (reply.review === null) {
      return;
    }
    const reviewed: IReviewed = { review: reply.review, problems: reply.problems };
    let choice: IChoice | null = firstChoice(reviewed.review);
    let failure: PerijoveError | undefined;
    for (;;) {
      choice = await ask(perijove, reviewed, choice, failure);
      if (choice === null) {
        return;
      }
      try {
        const sent = await comm.ask({ op: 'submit', ...asked, ...readChoice(choice) });
        await showCard(perijove, model, sent.reply);
        return;
      } catch (error) {
        failure = asPerijoveError(error);
      }
    }
  } finally {
    comm.dispose();
  }
}

function activeCell(
  { trans }: IPerijove,
  notebooks: INotebookTracker | null
): { cell: CodeCell; kernel: Kernel.IKernelConnection } {
  const panel = notebooks?.currentWidget;
  const cell = panel?.content.activeCell;
  if (panel == null || cell?.model.type !== 'code' || cell.model.sharedModel.source.trim() === '') {
    throw new PerijoveError({
      code: 'no_cell',
      message: trans.__('No cell of code is active.'),
      hint: trans.__('Click the cell that trains, then try again.')
    });
  }
  const kernel = panel.sessionContext.session?.kernel;
  if (!kernel) {
    throw new PerijoveError({
      code: 'no_kernel',
      message: trans.__('%1 has no kernel.', panel.title.label),
      hint: trans.__('Start a kernel and run the cells that the training needs.')
    });
  }
  return { cell: cell as CodeCell, kernel };
}

/** The output of the cell is the run's card from now on, as `%%train` leaves it. */
async function showCard(
  { client, commands, events, project, trans }: IPerijove,
  model: ICodeCellModel,
  { run_id: runId, job, project: folder }: BackgroundReply
): Promise<void> {
  events.announce('develop', 'operate');
  const { name } = (await client.get('/runs/{run_id}', { path: { run_id: runId } })).summary;
  const card: RunCard = { project: folder || `/${project.path ?? ''}`, run_id: runId, name };
  if (!model.isDisposed) {
    model.outputs.clear();
    model.outputs.add({
      output_type: 'display_data',
      data: {
        [RUN_MIME_TYPE]: { ...card },
        'text/plain': trans.__('Run %1 in the background, job %2', name, job?.id ?? '')
      },
      metadata: {}
    });
  }
  notifyDone(trans.__('%1 was sent to the background.', name), {
    label: trans.__('Open run'),
    callback: () => void commands.execute('perijove:open-run', { run_id: runId, name })
  });
}

/** Show the review until somebody sends the cell or gives it up. */
async function ask(
  perijove: IPerijove,
  reviewed: IReviewed,
  choice: IChoice,
  failure: PerijoveError | undefined
): Promise<IChoice | null> {
  const { trans } = perijove;
  const body = new ReviewBody(perijove, reviewed, choice, failure);
  const dialog = new Dialog({
    title: trans.__('Train cell in the background'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Train in background') })
    ],
    defaultButton: 1,
    focusNodeSelector: 'input'
  });
  dialog.addClass('pj-ReviewDialog');
  const { button, value } = await dialog.launch();
  return button.accept ? value : null;
}

class ReviewBody extends ReactWidget implements Dialog.IBodyWidget<IChoice> {
  constructor(
    private readonly _perijove: IPerijove,
    private readonly _reviewed: IReviewed,
    private _choice: IChoice,
    private readonly _failure: PerijoveError | undefined
  ) {
    super();
    this.addClass('pj-Review');
  }

  getValue(): IChoice {
    return this._choice;
  }

  protected override render(): JSX.Element {
    return (
      <ServicesContext.Provider value={this._perijove}>
        <Suspense fallback={<Skeleton lines={6} />}>
          <Review
            reviewed={this._reviewed}
            choice={this._choice}
            failure={this._failure}
            onChange={choice => {
              this._choice = choice;
              this.update();
            }}
          />
        </Suspense>
      </ServicesContext.Provider>
    );
  }
}
