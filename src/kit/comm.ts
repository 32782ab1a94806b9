import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

import { PerijoveError } from '../api/errors';
import type { Trans } from '../api/language';
import type { ErrorBody } from '../api/types';

/** A kernel whose C code holds the interpreter answers nobody: say so. */
const PATIENCE_MS = 10_000;

interface Numbered {
  id: number;
}
interface Waiting<Reply> {
  resolve(answer: { reply: Reply; buffer: ArrayBuffer | undefined }): void;
  reject(error: PerijoveError): void;
}

/**
 * What our library in a kernel is asked, over a comm that lives in a subshell: a cell that runs
 * does not hold it up. Each request has a number, and so has its answer.
 */
export class KernelComm<
  Request extends Numbered,
  Reply extends Numbered & { error: ErrorBody | null }
> implements IDisposable {
  /**
   * @param target - The comm's target; a module of `perijove/contracts` says what is said over it.
   */
  constructor(kernel: Kernel.IKernelConnection, target: string, trans: Trans) {
    this._trans = trans;
    this._kernel = kernel;
    const comm: Kernel.IComm & { readonly subshellStarted?: Promise<void> } =
      kernel.createComm(target);
    this._comm = comm;
    this._comm.onMsg = message => this._answered(message);
    this._comm.onClose = () => this._close(notLoaded(trans));
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

  /** Ask, and return the answer with the bytes that came with it. */
  async ask(
    request: Omit<Request, 'id'>
  ): Promise<{ reply: Reply; buffer: ArrayBuffer | undefined }> {
    await this._open;
    if (this._closed !== undefined) {
      throw this._closed;
    }
    const id = this._next++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this._waiting.delete(id);
        reject(busy(this._trans));
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

  dispose(): void {
    if (!this.isDisposed) {
      this._close(gone(this._trans));
      if (!this._comm.isDisposed) {
        this._comm.close();
      }
    }
  }

  private _answered(message: KernelMessage.ICommMsgMsg): void {
    const reply = message.content.data as unknown as Reply;
    const waiting = this._waiting.get(reply.id);
    this._waiting.delete(reply.id);
    if (reply.error !== null) {
      waiting?.reject(new PerijoveError(reply.error));
      return;
    }
    const [buffer] = message.buffers ?? [];
    waiting?.resolve({
      reply,
      buffer:
        buffer === undefined
          ? undefined
          : buffer instanceof ArrayBuffer
            ? buffer
            : buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)
    });
  }

  private _gone(): void {
    this._close(gone(this._trans));
  }

  private _statusChanged(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this._gone();
    }
  }

  private _close(reason: PerijoveError): void {
    if (this._closed === undefined) {
      this._closed = reason;
      this._kernel.disposed.disconnect(this._gone, this);
      this._kernel.statusChanged.disconnect(this._statusChanged, this);
      this._waiting.forEach(waiting => waiting.reject(reason));
      this._waiting.clear();
    }
  }

  private readonly _trans: Trans;
  private readonly _kernel: Kernel.IKernelConnection;
  private readonly _comm: Kernel.IComm;
  private readonly _open: Promise<void>;
  private readonly _waiting = new Map<number, Waiting<Reply>>();
  private _closed: PerijoveError | undefined;
  private _next = 1;
}

function notLoaded(trans: Trans): PerijoveError {
  return new PerijoveError({
    code: 'not_loaded',
    message: trans.__('Perijove is not loaded in this kernel.'),
    hint: trans.__('Run %load_ext perijove in a cell, then try again.')
  });
}

function gone(trans: Trans): PerijoveError {
  return new PerijoveError({
    code: 'kernel_gone',
    message: trans.__('The kernel was restarted or shut down.'),
    hint: trans.__('Run %load_ext perijove and the cells that made what you need again.')
  });
}

function busy(trans: Trans): PerijoveError {
  return new PerijoveError({
    code: 'kernel_busy',
    message: trans.__('The kernel does not answer: it is in code that lets nothing else run.'),
    hint: trans.__('Try again when the cell is done.')
  });
}
