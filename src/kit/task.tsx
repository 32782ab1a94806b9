import { useEffect, useState } from 'react';

import type { Task } from '../api/types';
import { useAction } from './action';
import { Button } from './button';
import { ErrorView } from './feedback';
import { percent } from './format';
import { useResource } from './resource';
import { useServices, useTrans } from './services';
import { PerijoveError } from '../api/errors';

/** Work in the server's background, as it goes on; undefined without an id. */
export function useTask(id: string): Task | undefined {
  const { events } = useServices();
  const asked = useResource(
    ['task', id],
    [],
    (client, signal) => client.get('/tasks/{task}', { path: { task: id }, signal }),
    { enabled: id !== '' }
  );
  const [told, setTold] = useState<Task>();
  useEffect(() => {
    const onProgress = (_: unknown, { task }: { task: Task }): void => {
      if (task.id === id) {
        setTold(task);
      }
    };
    events.progress.connect(onProgress);
    return () => {
      events.progress.disconnect(onProgress);
    };
  }, [events, id]);
  return id === '' ? undefined : told?.id === id ? told : asked.data;
}

export interface TaskProgressProps {
  task: Task;
  /** What is being done, as a noun: `Profile of all rows`. */
  label: string;
}

/** How far work in the background is, and a way to stop it; why it failed, where it did. */
export function TaskProgress({ task, label }: TaskProgressProps): JSX.Element | null {
  const { client, events } = useServices();
  const trans = useTrans();
  const cancel = useAction(async () => {
    await client.delete('/tasks/{task}', { path: { task: task.id } });
    events.announce('data');
  });
  if (task.state === 'failed' && task.error !== null) {
    return (
      <ErrorView error={new PerijoveError({ ...task.error, hint: task.error.hint })} compact />
    );
  }
  if (task.state !== 'running' && task.state !== 'waiting') {
    return null;
  }
  return (
    <div className="pj-Task" role="status">
      <span className="pj-Task-label">{label}</span>
      <progress className="pj-Task-bar" max={1} value={task.progress} aria-label={label} />
      <span className="pj-Task-share">{percent(task.progress, 0)}</span>
      {task.detail !== '' && <span className="pj-mod-quiet">{task.detail}</span>}
      <Button look="link" busy={cancel.busy} onClick={() => void cancel.run()}>
        {trans.__('Cancel')}
      </Button>
    </div>
  );
}
