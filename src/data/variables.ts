import type { Trans } from '../api/language';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import {
  PerijoveError,
  type Dataset,
  type Variable,
  type VariablesReply,
  type VariablesRequest
} from '../api';

/** The comm's target; `perijove/contracts/variables.py` says what is said over it. */
const TARGET = 'perijove.variables';
/** A kernel whose C code holds the interpreter answers nobody: say so. */
const PATIENCE_MS = 10_000;

type Column = Dataset['facts']['columns'][number];
interface Waiting {
  resolve(answer: { reply: VariablesReply; rows: ArrayBuffer | undefined }): void;
  reject(error: PerijoveError): void;
}

/**
 * The tables of one kernel, asked over a comm that lives in a subshell: a cell that runs does not
 * hold it up.
 */
export class KernelTables implements IDisposable {
  constructor(kernel: Kernel.IKernelConnection, trans: Trans) {
    this._trans = trans;
    const comm: Kernel.IComm & { readonly subshellStarted?: Promise<void> } =
      kernel.createComm(TARGET);
    this._comm = comm;
    this._comm.onMsg = message => this._answered(message);
    this._comm.onClose = () => this._close(NOT_LOADED(trans));
    // Only a comm that waits for its subshell is not held up by a running cell.
    this._open = Promise.resolve(comm.subshellStarted).then(() => {
      comm.open({});
    });
    kernel.disposed.connect(this._gone, this);
    kernel.statusChanged.connect(this._statusChanged, this);
  }

  get isDisposed(): boolean {
    return this._closed !== undefined;
  }

  async list(): Promise<Variable[]> {
    return (await this._ask({ do: 'list' })).reply.variables;
  }

  async describe(name: string): Promise<{ rows: number; columns: Column[] }> {
    const { reply } = await this._ask({ do: 'describe', name });
    return { rows: reply.rows, columns: reply.columns };
  }

  /** Rows of some columns, by position, as an Arrow IPC stream. */
  async rows(
    name: string,
    offset: number,
    limit: number,
    columns: readonly number[]
  ): Promise<ArrayBuffer> {
    const { rows } = await this._ask({ do: 'rows', name, offset, limit, columns: [...columns] });
    return rows ?? new ArrayBuffer(0);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._close(GONE(this._trans));
      if (!this._comm.isDisposed) {
        this._comm.close();
      }
    }
  }

  private async _ask(
    request: Omit<VariablesRequest, 'id'>
  ): Promise<{ reply: VariablesReply; rows: ArrayBuffer | undefined }> {
    await this._open;
    if (this._closed !== undefined) {
      throw this._closed;
    }
    const id = this._next++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this._waiting.delete(id);
        reject(BUSY(this._trans));
      }, PATIENCE_MS);
      this._waiting.set(id, {
        resolve: answer => {
          clearTimeout(late);
          resolve(answer);
        },
        reject: error => {
          clearTimeout(late);
          reject(error);
        }
      });
      this._comm.send({ id, ...request });
    });
  }

  private _answered(message: KernelMessage.ICommMsgMsg): void {
    const reply = message.content.data as unknown as VariablesReply;
    const waiting = this._waiting.get(reply.id);
    this._waiting.delete(reply.id);
    if (reply.error !== null) {
      waiting?.reject(new PerijoveError(reply.error));
      return;
    }
    const [buffer] = message.buffers ?? [];
    const rows =
      buffer === undefined
        ? undefined
        : buffer instanceof ArrayBuffer
          ? buffer
          : buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
    waiting?.resolve({ reply, rows });
  }

  private _gone(): void {
    this._close(GONE(this._trans));
  }

  private _statusChanged(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this._gone();
    }
  }

  private _close(reason: PerijoveError): void {
    if (this._closed === undefined) {
      this._closed = reason;
      Signal.clearData(this);
      this._waiting.forEach(waiting => waiting.reject(reason));
      this._waiting.clear();
    }
  }

  private readonly _trans: Trans;
  private readonly _comm: Kernel.IComm;
  private readonly _open: Promise<void>;
  private readonly _waiting = new Map<number, Waiting>();
  private _closed: PerijoveError | undefined;
  private _next = 1;
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

const NOT_LOADED = (trans: Trans): PerijoveError =>
  new PerijoveError({
    code: 'not_loaded',
    message: trans.__('Perijove is not loaded in this kernel.'),
    hint: trans.__('Run %load_ext perijove in a cell, then try again.')
  });
const GONE = (trans: Trans): PerijoveError =>
  new PerijoveError({
    code: 'kernel_gone',
    message: trans.__('The kernel was restarted or shut down.'),
    hint: trans.__('Run %load_ext perijove and the cells that make the tables again.')
  });
const BUSY = (trans: Trans): PerijoveError =>
  new PerijoveError({
    code: 'kernel_busy',
    message: trans.__('The kernel does not answer: it is in code that lets nothing else run.'),
    hint: trans.__('Try again when the cell is done.')
  });
