import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import type { PerijoveError } from '../api/errors';
import { asPerijoveError } from '../api/errors';
import type { IPerijove } from '../api/tokens';

export interface Question {
  /** A question that names the act and its object, such as `Stop endpoint builds?` */
  title: string;
  /** What will be other than now. */
  body: string;
  /** The act as a verb, on the button. */
  accept: string;
  /** Something is lost or interrupted; the button is red, and the focus on Cancel. */
  warn?: boolean;
}

/** Ask once before an effect, in words that name the object and the consequence. */
export async function askToAct(
  question: Question,
  trans: { __: (text: string) => string }
): Promise<boolean> {
  const accept = question.warn === true ? Dialog.warnButton : Dialog.okButton;
  const { button } = await showDialog({
    title: question.title,
    body: question.body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      accept({ label: question.accept })
    ],
    defaultButton: question.warn === true ? 0 : 1
  });
  return button.accept;
}

/** Tell that something did not work, and what to do about it. */
export function notifyError(error: unknown): void {
  const known: PerijoveError = asPerijoveError(error);
  Notification.error([known.message, known.hint].filter(Boolean).join(' '), {
    autoClose: false
  });
}

/** Tell that something was done, for a few seconds. */
export function notifyDone(text: string, action?: Notification.IAction): void {
  Notification.success(text, {
    autoClose: 5000,
    actions: action === undefined ? [] : [action]
  });
}

/** Run something of the user's; a failure is told and not thrown. */
export async function perform(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    notifyError(error);
    return false;
  }
}

export interface Effect {
  label: string | ((args: ReadonlyPartialJSONObject) => string);
  caption?: string;
  icon?: CommandRegistry.ICommandOptions['icon'];
  isEnabled?: (args: ReadonlyPartialJSONObject) => boolean;
  describedBy: CommandRegistry.ICommandOptions['describedBy'];
  /** What to ask first; null to act at once, where the page has asked already. */
  question: (args: ReadonlyPartialJSONObject) => Question | Promise<Question | null> | null;
  act: (args: ReadonlyPartialJSONObject) => Promise<unknown>;
}

/**
 * Add a command that has an effect: it asks first, tells when it failed, and cannot be fired by
 * a link in a notebook's output.
 */
export function addEffect(perijove: IPerijove, id: string, effect: Effect): IDisposable {
  guardOutputs(id, perijove.trans.__('Output of a notebook cannot run this command.'));
  return perijove.commands.addCommand(id, {
    label: effect.label,
    caption: effect.caption,
    icon: effect.icon,
    isEnabled: effect.isEnabled,
    describedBy: effect.describedBy,
    execute: args =>
      perform(async () => {
        const question = await effect.question(args);
        if (question === null || (await askToAct(question, perijove.trans))) {
          await effect.act(args);
        }
      })
  });
}

const guarded = new Map<string, string>();

/** Where what is shown was written by a notebook or a file, and not by the application. */
const FOREIGN = '.jp-OutputArea, .jp-RenderedHTMLCommon, .jp-MimeDocument';

/**
 * JupyterLab runs the command that an element's `data-commandlinker-command` names when it is
 * clicked. It asks first where the notebook is not trusted; for our effects that is not enough.
 */
function guardOutputs(id: string, refusal: string): void {
  if (guarded.size === 0) {
    document.addEventListener(
      'click',
      event => {
        const link =
          event.target instanceof Element
            ? event.target.closest('[data-commandlinker-command]')
            : null;
        const reason = guarded.get(link?.getAttribute('data-commandlinker-command') ?? '');
        if (link !== null && reason !== undefined && link.closest(FOREIGN) !== null) {
          event.preventDefault();
          event.stopImmediatePropagation();
          Notification.warning(reason);
        }
      },
      { capture: true }
    );
  }
  guarded.set(id, refusal);
}
