import type { ReactNode } from 'react';

import type { Resources } from '../../api';
import { Meter, Sparkline, bytes, useTrans } from '../../kit';

export interface MachineProps {
  now: Resources;
  /** The last samples, oldest first. */
  history: readonly Resources[];
}

/** CPU, memory, disk and GPUs: each a value, a bar and, where it moves, its last two minutes. */
export function Machine({ now, history }: MachineProps): JSX.Element {
  const trans = useTrans();
  return (
    <div className="pj-Machine">
      <Part
        title={trans.__('CPU')}
        value={`${now.cpu_percent.toFixed(0)} %`}
        note={trans._n('%1 core', '%1 cores', now.cpus)}
        share={now.cpu_percent / 100}
        history={history.map(one => one.cpu_percent / 100)}
      />
      <Part
        title={trans.__('Memory')}
        value={bytes(now.memory_used)}
        note={trans.__('of %1', bytes(now.memory_total))}
        share={now.memory_used / now.memory_total}
        history={history.map(one => one.memory_used / one.memory_total)}
      />
      <Part
        title={trans.__('Disk')}
        value={bytes(now.disk_used)}
        note={trans.__('of %1 · this project %2', bytes(now.disk_total), bytes(now.project_bytes))}
        share={now.disk_used / now.disk_total}
      />
      {now.gpus.map(gpu => (
        <Part
          key={gpu.index}
          title={trans.__('GPU %1', gpu.index)}
          value={`${gpu.percent.toFixed(0)} %`}
          note={`${bytes(gpu.memory_used)} / ${bytes(gpu.memory_total)} · ${gpu.name}`}
          share={gpu.percent / 100}
          history={history.map(
            one => (one.gpus.find(other => other.index === gpu.index)?.percent ?? 0) / 100
          )}
        />
      ))}
    </div>
  );
}

function Part(props: {
  title: string;
  value: string;
  note: string;
  share: number;
  history?: readonly number[];
}): JSX.Element {
  const { title, value, note, share, history } = props;
  const trans = useTrans();
  const spark: ReactNode = history !== undefined && history.length > 1 && (
    <Sparkline
      values={history}
      min={0}
      max={1}
      width={96}
      height={24}
      label={trans.__('%1 over the last two minutes', title)}
    />
  );
  return (
    <div className="pj-Machine-part">
      <div className="pj-Machine-head">
        <span className="pj-Machine-title">{title}</span>
        {spark}
      </div>
      <div className="pj-Machine-value">{value}</div>
      <Meter share={share} label={title} text={`${value} ${note}`} />
      <div className="pj-Machine-note" title={note}>
        {note}
      </div>
    </div>
  );
}
