import type { Kpi, Metric, Project, Request, Trans } from '../api';
import { parseNumber } from '../kit';

/** A target as it is typed. */
export interface KpiDraft {
  /** Keeps the row's identity while its values change. */
  id: number;
  metric: string;
  data: string;
  split: string;
  target: string;
  minimum: string;
}

/** The definition as it is typed. */
export interface Draft {
  /** The revision of the file that it was started from. */
  revision: string;
  name: string;
  question: string;
  owner: string;
  kpis: readonly KpiDraft[];
}

export type KpiErrors = Partial<Record<'metric' | 'data' | 'target' | 'minimum', string>>;

/** Dataset names that the project file takes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

let lastId = 0;

export function draftOf(project: Project): Draft {
  return {
    revision: project.revision,
    name: project.name,
    question: project.question,
    owner: project.owner,
    kpis: project.kpis.map(kpi => ({
      id: (lastId += 1),
      metric: kpi.metric,
      data: kpi.data,
      split: kpi.split,
      target: String(kpi.target),
      minimum: kpi.minimum === null ? '' : String(kpi.minimum)
    }))
  };
}

/** A new row, on the data of the row before. */
export function emptyKpi(metrics: readonly Metric[], before: KpiDraft | undefined): KpiDraft {
  return {
    id: (lastId += 1),
    metric: metrics[0]?.name ?? '',
    data: before?.data ?? '',
    split: before?.split ?? 'test',
    target: '',
    minimum: ''
  };
}

/** Whether nothing was typed into a row: it counts as if it were not there. */
export function isBlank(kpi: KpiDraft): boolean {
  return [kpi.data, kpi.target, kpi.minimum].every(text => text.trim() === '');
}

/** What is wrong with a row; an empty object when nothing is. */
export function errorsOf(kpi: KpiDraft, trans: Trans): KpiErrors {
  const errors: KpiErrors = {};
  if (isBlank(kpi)) {
    return errors;
  }
  if (kpi.metric === '') {
    errors.metric = trans.__('Choose a metric.');
  }
  if (kpi.data.trim() === '') {
    errors.data = trans.__('Name the dataset.');
  } else if (!NAME.test(kpi.data.trim())) {
    errors.data = trans.__("Letters, digits, '.', '_' and '-' only.");
  }
  const target = parseNumber(kpi.target);
  if (target === null) {
    errors.target = trans.__('Say how good is good enough.');
  } else if (!Number.isFinite(target)) {
    errors.target = trans.__('This is no number.');
  }
  const minimum = parseNumber(kpi.minimum);
  if (minimum !== null && !Number.isFinite(minimum)) {
    errors.minimum = trans.__('This is no number.');
  }
  return errors;
}

/** What is sent; only for a draft without errors. A metric says itself whether more is better. */
export function updateOf(
  draft: Draft,
  revision: string,
  metrics: readonly Metric[]
): Request<'ProjectUpdate'> {
  return {
    revision,
    name: draft.name.trim(),
    question: draft.question.trim(),
    owner: draft.owner.trim(),
    kpis: draft.kpis
      .filter(kpi => !isBlank(kpi))
      .map((kpi): Kpi => ({
        metric: kpi.metric,
        data: kpi.data.trim(),
        split: kpi.split,
        direction: metrics.find(metric => metric.name === kpi.metric)?.direction ?? 'maximize',
        target: parseNumber(kpi.target) ?? 0,
        minimum: parseNumber(kpi.minimum)
      }))
  };
}
