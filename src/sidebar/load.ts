import type { Resources } from '../api';

const GIGABYTE = 2 ** 30;

/** The machine in one line: `CPU 34 % · 6.1 / 24 GB · GPU 0 81 %`. */
export function loadFact(resources: Resources): string {
  const used = (resources.memory_used / GIGABYTE).toFixed(1);
  const total = (resources.memory_total / GIGABYTE).toFixed(0);
  const gpus = resources.gpus
    .slice(0, 2)
    .map(gpu => ` · GPU ${gpu.index} ${gpu.percent.toFixed(0)} %`)
    .join('');
  return `CPU ${resources.cpu_percent.toFixed(0)} % · ${used} / ${total} GB${gpus}`;
}
