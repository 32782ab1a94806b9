import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

import {
  PerijoveError,
  type Dataset,
  type Trans,
  type Variable,
  type VariablesReply,
  type VariablesRequest
} from '../api';
import { KernelComm } from '../kit/comm';

/** The comm's target; `perijove/contracts/variables.py` says what is said over it. */
const TARGET = 'perijove.variables';

type Column = Dataset['facts']['columns'][number];

/** The tables of one kernel; a cell that runs does not hold them up. */
export class KernelTables implements IDisposable {
  constructor(kernel: Kernel.IKernelConnection, trans: Trans) {
    this._comm = new KernelComm(kernel, TARGET, trans);
  }

  get isDisposed(): boolean {
    return this._comm.isDisposed;
  }

  async list(): Promise<Variable[]> {
    return (await this._comm.ask({ do: 'list' })).reply.variables;
  }

  async describe(name: string): Promise<{ rows: number; columns: Column[] }> {
    const { reply } = await this._comm.ask({ do: 'describe', name });
    return { rows: reply.rows, columns: reply.columns };
  }

  /** Rows of some columns, by position, as an Arrow IPC stream. */
  async rows(
    name: string,
    offset: number,
    limit: number,
    columns: readonly number[]
  ): Promise<ArrayBuffer> {
    const { buffer } = await this._comm.ask({
      do: 'rows',
      name,
      offset,
      limit,
      columns: [...columns]
    });
    return buffer ?? new ArrayBuffer(0);
  }

  dispose(): void {
    this._comm.dispose();
  }

  private readonly _comm: KernelComm<VariablesRequest, VariablesReply>;
}

/** Reach the kernel of an open notebook. */
export function openTables(
  notebooks: INotebookTracker | null,
  notebook: string,
  trans: Trans
): KernelTables {
  const panel = notebooks?.find(found => found.context.path === notebook);
  const kernel = panel?.sessionContext.session?.kernel;
  if (!kernel) {
    throw new PerijoveError({
      code: 'no_kernel',
      message: trans.__('%1 is not open, or has no kernel.', notebook),
      hint: trans.__('Open the notebook and run a cell.')
    });
  }
  return new KernelTables(kernel, trans);
}
