import { caretDownIcon, refreshIcon, settingsIcon } from '@jupyterlab/ui-components';
import { useState, useSyncExternalStore } from 'react';

import type { Resources, StepStatus } from '../../api';
import {
  Button,
  ErrorView,
  IconButton,
  LoadingBar,
  Skeleton,
  useLoad,
  useServices,
  useSignal,
  useTrans
} from '../../kit';
import { loadFact } from '../load';
import type { LifecycleModel } from '../model';
import { CommandIDs, type ISidebarSections } from '../tokens';
import { LifecycleTree } from './lifecycle';
import { Sections } from './sections';

/** Samples of the machine that the sparkline shows, one a second. */
const SAMPLES = 60;

export interface SidebarProps {
  model: LifecycleModel;
  sections: ISidebarSections;
  onOpenStep: (step: StepStatus) => void;
  onNext: (step: StepStatus) => void;
  /** Show the list of projects below this element. */
  onProjects: (anchor: HTMLElement) => void;
}

/** The project's life cycle at a glance. */
export function Sidebar(props: SidebarProps): JSX.Element {
  const { project, commands } = useServices();
  const trans = useTrans();
  const list = useSignal(project.changed, () => project.list);
  const path = useSignal(project.changed, () => project.path);
  const name = useSignal(project.changed, () => project.name);
  const error = useSignal(project.changed, () => project.error);
  return (
    <div className="pj-Sidebar-content">
      <header className="pj-Sidebar-header">
        <h2 className="pj-Sidebar-title">{trans.__('Perijove')}</h2>
        <IconButton
          label={trans.__('Refresh Perijove')}
          icon={refreshIcon.react}
          onClick={() => void commands.execute(CommandIDs.refresh)}
        />
        <IconButton
          label={trans.__('Open settings of Perijove')}
          icon={settingsIcon.react}
          onClick={() => void commands.execute('settingeditor:open', { query: 'Perijove' })}
        />
      </header>
      {list === undefined ? (
        error === undefined ? (
          <Skeleton lines={5} />
        ) : (
          <ErrorView error={error} retry={() => void project.refresh()} />
        )
      ) : path === null ? (
        <FirstStart />
      ) : (
        <>
          <button
            type="button"
            className="pj-Sidebar-project"
            aria-haspopup="menu"
            title={trans.__('%1, in folder %2', name, path === '' ? '/' : path)}
            onClick={event => props.onProjects(event.currentTarget)}
          >
            <span className="pj-Ellipsis">{name}</span>
            <caretDownIcon.react tag="span" className="pj-Sidebar-caret" />
          </button>
          <Steps {...props} />
          <Sections key={path} sections={props.sections} />
        </>
      )}
    </div>
  );
}

function Steps({ model, onOpenStep, onNext }: SidebarProps): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  const { data, error, loading } = useSyncExternalStore(model.subscribe, model.read);
  const [load, setLoad] = useState<readonly Resources[]>([]);
  useLoad(resources => setLoad(old => [...old.slice(1 - SAMPLES), resources]));
  const newest = load[load.length - 1];
  const steps = data?.steps.map(step =>
    step.step === 'operate' && step.state === 'ok' && newest !== undefined
      ? { ...step, fact: loadFact(newest) }
      : step
  );
  return (
    <>
      <LoadingBar active={loading && data !== undefined} />
      {error !== undefined && (
        <>
          <ErrorView
            error={error}
            retry={error.code === 'project_file_broken' ? undefined : model.reload}
          />
          {error.code === 'project_file_broken' && (
            <Button
              className="pj-Sidebar-mend"
              look="accept"
              onClick={() => void commands.execute(CommandIDs.editProjectFile)}
            >
              {trans.__('Open perijove.toml')}
            </Button>
          )}
        </>
      )}
      {steps !== undefined && (
        <LifecycleTree
          steps={steps}
          stale={error !== undefined}
          load={load.map(one => one.cpu_percent)}
          onOpenStep={onOpenStep}
          onNext={onNext}
          onOpenEntry={entry => void commands.execute(CommandIDs.open, { ref: entry.ref })}
        />
      )}
      {steps === undefined && error === undefined && <Skeleton lines={10} />}
    </>
  );
}

function FirstStart(): JSX.Element {
  const { commands } = useServices();
  const trans = useTrans();
  return (
    <div className="pj-FirstStart">
      <p>
        {trans.__(
          'Perijove follows a model from the question to its live endpoint. A project is a folder with a file perijove.toml in it.'
        )}
      </p>
      <Button look="accept" onClick={() => void commands.execute(CommandIDs.openExample)}>
        {trans.__('Open the example')}
      </Button>
      <Button onClick={() => void commands.execute(CommandIDs.createProject)}>
        {trans.__('Make a project here')}
      </Button>
    </div>
  );
}
