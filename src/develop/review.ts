import type { BackgroundRequest, BackgroundReview } from '../api';
import { parseNumber } from '../kit/form';

/** What a kernel says of the cells that ran. */
export interface IReviewed {
  review: BackgroundReview;
  /** Names that the cells that go along use and do not define. */
  problems: readonly string[];
}

/** What somebody decides about a cell that is to train in the background; texts as typed. */
export interface IChoice {
  /** The numbers of the cells that go along. */
  numbers: ReadonlySet<number>;
  name: string;
  executor: string;
  cpus: string;
  gpus: string;
  /** Send it although names are missing. */
  force: boolean;
}

/** What is chosen before somebody chooses. */
export function firstChoice(review: BackgroundReview): IChoice {
  return {
    numbers: new Set(review.cells.filter(cell => cell.wanted).map(cell => cell.number)),
    name: '',
    executor: '',
    cpus: '',
    gpus: '',
    force: false
  };
}

/** What the kernel is asked for; what is left empty is as the cell's own line says. */
export function readChoice(choice: IChoice): Omit<BackgroundRequest, 'id' | 'op'> {
  const cpus = parseNumber(choice.cpus);
  const gpus = parseNumber(choice.gpus);
  return {
    numbers: [...choice.numbers].sort((a, b) => a - b),
    name: choice.name.trim(),
    executor: choice.executor,
    force: choice.force,
    ...(cpus !== null && !Number.isNaN(cpus) && { cpus }),
    ...(gpus !== null && !Number.isNaN(gpus) && { gpus })
  };
}

/** Whether a text says a count between 0 and a limit; an empty one leaves it open. */
export function isAmount(text: string, whole: boolean): boolean {
  const value = parseNumber(text);
  return value === null || (value >= 0 && (!whole || Number.isInteger(value)));
}
