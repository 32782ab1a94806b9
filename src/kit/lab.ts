/**
 * The part of the kit that needs JupyterLab itself: pages, commands with effects, notifications
 * and icons. Plugins import it; components and their tests import `./index` only.
 */
export {
  addEffect,
  askToAct,
  choose,
  notifyDone,
  notifyError,
  perform,
  type Effect,
  type Question
} from './act';
export * from './icons';
export { permitInOutputs } from './outputs';
export {
  Page,
  registerPage,
  type PageArgs,
  type PageHost,
  type PageProps,
  type PageSpec
} from './page';
