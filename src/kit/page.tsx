import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { MainAreaWidget, ReactWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { PartialJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { Debouncer } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { ComponentType, ErrorInfo, ReactNode } from 'react';
import { Component, Suspense, lazy } from 'react';

import { asPerijoveError } from '../api/errors';
import type { IPerijove } from '../api/tokens';
import { Button } from './button';
import { Empty, ErrorView, Skeleton } from './feedback';
import { MemoryContext, PageMemory } from './kept';
import { guardOutputs, permitInOutputs } from './outputs';
import { ServicesContext, VisibleContext, useServices, useSignal, useTrans } from './services';

/** Milliseconds until what a page keeps is saved. */
const SAVE_AFTER = 300;

export type PageArgs = ReadonlyPartialJSONObject;

export interface PageProps<Args extends PageArgs = PageArgs> {
  args: Args;
  /** Give the tab another title. */
  setTitle: (title: string) => void;
}

export interface PageSpec<Args extends PageArgs> {
  /** The kind of page, such as `dataset`; its command is `perijove:open-<kind>`. */
  kind: string;
  /** The command's name, as a verb and an object. */
  label: string;
  caption?: string;
  icon: LabIcon;
  /** Loads the component when the first such page opens: `() => import('./dataset_page')`. */
  load: () => Promise<{ default: ComponentType<PageProps<Args>> }>;
  title: (args: Args) => string;
  /** One page for each name, such as `args => args.name`; one page in all when left out. */
  name?: (args: Args) => string;
  /** JSON Schema of the arguments. */
  args?: CommandRegistry.ICommandOptions['describedBy'];
}

export interface PageHost {
  restorer: ILayoutRestorer | null;
  palette: ICommandPalette | null;
}

/**
 * Make a kind of page known: a command that opens it, an entry in the palette where it needs no
 * arguments, and its return after a reload. A second call with the same name shows the open page.
 *
 * What the page keeps of how somebody looks at it (`useKept`) travels with the restored arguments,
 * under `kept`.
 */
export function registerPage<Args extends PageArgs>(
  app: JupyterFrontEnd,
  perijove: IPerijove,
  spec: PageSpec<Args>,
  { restorer, palette }: PageHost
): WidgetTracker<Page<Args>> {
  const { commands, shell } = app;
  const command = `perijove:open-${spec.kind}`;
  const tracker = new WidgetTracker<Page<Args>>({ namespace: `perijove-${spec.kind}` });
  const Body = lazy(spec.load);
  guardOutputs(perijove.trans);
  permitInOutputs(command);
  commands.addCommand(command, {
    label: spec.label,
    caption: spec.caption,
    icon: spec.icon,
    describedBy: spec.args ?? { args: { type: 'object', properties: {} } },
    execute: async ({ kept, ...given }) => {
      const project = perijove.project.path;
      const args = { ...(spec.name !== undefined && { project }), ...given } as unknown as Args;
      const id = pageId(spec, args);
      let page = tracker.find(one => one.id === id);
      if (page === undefined) {
        const made = new Page(perijove, spec, Body, args, kept);
        const saver = new Debouncer(() => tracker.save(made), SAVE_AFTER);
        made.memoryChanged.connect(() => void saver.invoke());
        made.disposed.connect(() => saver.dispose());
        made.id = id;
        page = made;
        await tracker.add(page);
      } else {
        page.args = args;
        await tracker.save(page);
      }
      if (!page.isAttached) {
        shell.add(page, 'main');
      }
      shell.activateById(page.id);
      return page;
    }
  });
  if (spec.name === undefined) {
    palette?.addItem({ command, category: perijove.trans.__('Perijove') });
  }
  if (restorer !== null) {
    void restorer.restore(tracker, {
      command,
      args: page => ({ ...page.args, kept: page.kept }),
      name: page => page.id
    });
  }
  return tracker;
}

function pageId<Args extends PageArgs>(spec: PageSpec<Args>, args: Args): string {
  const project = args['project'];
  const parts =
    spec.name === undefined ? [] : [typeof project === 'string' ? project : '', spec.name(args)];
  return ['perijove', spec.kind, ...parts.map(encodeURIComponent)].join('-');
}

/** A page in the main area. */
export class Page<Args extends PageArgs = PageArgs> extends MainAreaWidget<PageBody<Args>> {
  constructor(
    perijove: IPerijove,
    spec: PageSpec<Args>,
    body: ComponentType<PageProps<Args>>,
    args: Args,
    kept?: unknown
  ) {
    super({ content: new PageBody(perijove, spec, body, args) });
    this._memory = new PageMemory(kept, () => this._memoryChanged.emit());
    this.content.memory = this._memory;
    this.addClass('pj-Page');
    this.toolbar.hide();
    this.title.label = spec.title(args);
    this.title.caption = this.title.label;
    this.title.icon = spec.icon;
    this.title.closable = true;
    this.content.setTitle = title => {
      this.title.label = title;
      this.title.caption = title;
    };
  }

  get args(): Args {
    return this.content.args;
  }

  /** Show the page with other arguments, such as another tab of it. */
  set args(args: Args) {
    this.content.args = args;
    this.content.update();
  }

  /** How somebody looks at the page, for after a reload. */
  get kept(): PartialJSONObject {
    return this._memory.kept;
  }

  get memoryChanged(): ISignal<this, void> {
    return this._memoryChanged;
  }

  private readonly _memory: PageMemory;
  private readonly _memoryChanged = new Signal<this, void>(this);
}

/** The React part of a page. */
export class PageBody<Args extends PageArgs> extends ReactWidget {
  constructor(
    private readonly _perijove: IPerijove,
    private readonly _spec: PageSpec<Args>,
    private readonly _body: ComponentType<PageProps<Args>>,
    public args: Args
  ) {
    super();
    this.addClass('pj-PageBody');
    this.node.tabIndex = -1;
  }

  setTitle: (title: string) => void = () => {};
  memory: PageMemory | null = null;

  protected override render(): JSX.Element {
    const Body = this._body;
    const owner = this._spec.name === undefined ? undefined : this.args['project'];
    return (
      <ServicesContext.Provider value={this._perijove}>
        <VisibleContext.Provider value={this.isVisible}>
          <Boundary>
            <Suspense fallback={<Skeleton lines={6} />}>
              <InProject owner={typeof owner === 'string' ? owner : undefined}>
                <MemoryContext.Provider value={this.memory}>
                  <Body args={this.args} setTitle={this.setTitle} />
                </MemoryContext.Provider>
              </InProject>
            </Suspense>
          </Boundary>
        </VisibleContext.Provider>
      </ServicesContext.Provider>
    );
  }

  protected override onActivateRequest(_message: Message): void {
    this.node.focus({ preventScroll: true });
  }

  protected override onAfterShow(_message: Message): void {
    this.update();
  }

  protected override onAfterHide(_message: Message): void {
    this.update();
  }
}

/** Shows a page of the current project only. */
function InProject(props: { owner: string | undefined; children: ReactNode }): JSX.Element {
  const { project, commands } = useServices();
  const trans = useTrans();
  const path = useSignal(project.changed, () => project.path);
  const list = useSignal(project.changed, () => project.list);
  const error = useSignal(project.changed, () => project.error);
  const { owner, children } = props;
  if (list === undefined) {
    return error === undefined ? (
      <Skeleton lines={6} />
    ) : (
      <ErrorView error={error} retry={() => void project.refresh()} />
    );
  }
  if (path === null) {
    return (
      <Empty
        action={
          <Button look="accept" onClick={() => void commands.execute('perijove:open-sidebar')}>
            {trans.__('Make a project')}
          </Button>
        }
      >
        {trans.__('There is no project here yet.')}
      </Empty>
    );
  }
  if (owner !== undefined && owner !== path) {
    return (
      <Empty
        action={
          <Button look="accept" onClick={() => void project.select(owner)}>
            {trans.__('Switch to that project')}
          </Button>
        }
      >
        {trans.__('This page belongs to the project in %1.', owner === '' ? '/' : owner)}
      </Empty>
    );
  }
  return <>{children}</>;
}

/** Keeps a fault in a page inside of that page. */
class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error('Perijove: a page failed', error, info.componentStack);
  }

  override render(): ReactNode {
    if (this.state.error === null) {
      return this.props.children;
    }
    return (
      <ErrorView
        error={asPerijoveError(this.state.error)}
        retry={() => this.setState({ error: null })}
      />
    );
  }
}
