import type { Trans } from '../api/language';
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import type { PerijoveError } from '../api/errors';
import { asPerijoveError } from '../api/errors';
import type { IPerijove } from '../api/tokens';
import { guardOutputs } from './outputs';

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
export async function askToAct(question: Question, trans: Trans): Promise<boolean> {
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

export interface Choice<Value> {
  label: string;
  value: Value;
}

/** Have the user choose one of several; null when they give up, or when there is none. */
export async function choose<Value>(
  title: string,
  choices: readonly Choice<Value>[],
  none: string
): Promise<Value | null> {
  if (choices.length === 0) {
    Notification.info(none, { autoClose: 5000 });
    return null;
  }
  const { button, value } = await InputDialog.getItem({
    title,
    items: choices.map(choice => choice.label)
  });
  const chosen = choices.find(choice => choice.label === value);
  return button.accept && chosen !== undefined ? chosen.value : null;
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

/** What takes longer than so many milliseconds is told while it goes on. */
const SLOW = 1000;

/** Wait for something, and tell that it goes on where that takes a while. */
async function tellWhileSlow(label: string, act: Promise<unknown>): Promise<void> {
  let told: string | undefined;
  const timer = setTimeout(() => {
    told = Notification.emit(`${label}…`, 'in-progress', { autoClose: false });
  }, SLOW);
  try {
    await act;
  } finally {
    clearTimeout(timer);
    if (told !== undefined) {
      Notification.dismiss(told);
    }
  }
}

export interface Effect {
  label: string | ((args: ReadonlyPartialJSONObject) => string);
  caption?: string;
  icon?: CommandRegistry.ICommandOptions['icon'];
  isEnabled?: (args: ReadonlyPartialJSONObject) => boolean;
  describedBy: CommandRegistry.ICommandOptions['describedBy'];
  /** Ask for what the arguments leave away, as from the palette; null when the user gives up. */
  complete?: (args: ReadonlyPartialJSONObject) => Promise<ReadonlyPartialJSONObject | null>;
  /** What to ask first; null to act at once, where the page has asked already. */
  question: (args: ReadonlyPartialJSONObject) => Question | Promise<Question | null> | null;
  act: (args: ReadonlyPartialJSONObject) => Promise<unknown>;
}

/**
 * Add a command that has an effect: it asks first, and tells when it failed. As every command of
 * ours that is not permitted there, it cannot be fired by a link in a notebook's output.
 */
export function addEffect(perijove: IPerijove, id: string, effect: Effect): IDisposable {
  guardOutputs(perijove.trans);
  return perijove.commands.addCommand(id, {
    label: effect.label,
    caption: effect.caption,
    icon: effect.icon,
    isEnabled: effect.isEnabled,
    describedBy: effect.describedBy,
    execute: given =>
      perform(async () => {
        const args = effect.complete === undefined ? given : await effect.complete(given);
        if (args === null) {
          return;
        }
        const question = await effect.question(args);
        if (question === null || (await askToAct(question, perijove.trans))) {
          const { label } = effect;
          await tellWhileSlow(typeof label === 'string' ? label : label(args), effect.act(args));
        }
      })
  });
}
