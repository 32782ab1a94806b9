import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { IPerijove, Project } from '../../api';
import { services, wrapper } from '../../kit/__tests__/fakes';
import { DefinitionForm } from '../components/definition_form';

const PROJECT: Project = {
  path: 'builds',
  name: 'builds',
  question: 'Will it fail?',
  owner: 'Ada',
  kpis: [
    {
      metric: 'roc_auc',
      data: 'builds',
      split: 'test',
      direction: 'maximize',
      target: 0.75,
      minimum: null
    }
  ],
  revision: 'r1',
  sign_offs: []
};

const METRICS = {
  items: [
    { name: 'roc_auc', title: 'ROC AUC', direction: 'maximize', task: 'classification' },
    { name: 'log_loss', title: 'Log loss', direction: 'minimize', task: 'classification' }
  ]
};

let saved: unknown[];
let answer: () => unknown;
let perijove: IPerijove;

describe('the form of the definition', () => {
  beforeEach(async () => {
    saved = [];
    answer = () => PROJECT;
    perijove = services({
      'GET /projects': () => ({ items: [{ path: 'builds', name: 'builds' }] }),
      'GET /metrics': () => METRICS,
      'GET /datasets': () => ({ items: [] }),
      'PUT /project': init => {
        saved.push(JSON.parse(init.body as string));
        return answer();
      }
    });
    await perijove.project.refresh();
  });

  afterEach(cleanup);

  function form(project: Project, onDone = vi.fn(), onReload = vi.fn()): JSX.Element {
    return <DefinitionForm project={project} onDone={onDone} onReload={onReload} />;
  }

  it('saves what was typed, naming the revision; the metric says the direction', async () => {
    const onDone = vi.fn();
    render(form(PROJECT, onDone), { wrapper: wrapper(perijove) });
    const user = userEvent.setup();
    await screen.findByRole('option', { name: 'Log loss' });
    await user.selectOptions(screen.getByLabelText('Metric'), 'log_loss');
    const target = screen.getByLabelText('Target ≤');
    await user.clear(target);
    await user.type(target, '0.4');
    await user.type(screen.getByLabelText('Live minimum ≤'), '0,5');
    await user.click(screen.getByRole('button', { name: 'Save project' }));
    await waitFor(() => expect(onDone).toHaveBeenCalled());
    expect(saved).toEqual([
      {
        revision: 'r1',
        name: 'builds',
        question: 'Will it fail?',
        owner: 'Ada',
        kpis: [
          {
            metric: 'log_loss',
            data: 'builds',
            split: 'test',
            direction: 'minimize',
            target: 0.4,
            minimum: 0.5
          }
        ]
      }
    ]);
  });

  it('sends nothing while a value is missing, and says which', async () => {
    render(form(PROJECT), { wrapper: wrapper(perijove) });
    const user = userEvent.setup();
    await screen.findByRole('option', { name: 'Log loss' });
    await user.clear(screen.getByLabelText('Target ≥'));
    await user.click(screen.getByRole('button', { name: 'Save project' }));
    expect(screen.getByText('Say how good is good enough.')).toBeTruthy();
    expect(screen.getByLabelText('Target ≥').getAttribute('aria-invalid')).toBe('true');
    expect(saved).toEqual([]);
  });

  it('leaves a blank target away', async () => {
    const onDone = vi.fn();
    render(form({ ...PROJECT, kpis: [] }, onDone), { wrapper: wrapper(perijove) });
    await userEvent.setup().click(screen.getByRole('button', { name: 'Save project' }));
    await waitFor(() => expect(onDone).toHaveBeenCalled());
    expect(saved).toMatchObject([{ kpis: [] }]);
  });

  it('keeps what was typed when somebody was faster, and shows their values', async () => {
    const onDone = vi.fn();
    const onReload = vi.fn();
    const { rerender } = render(form(PROJECT, onDone, onReload), { wrapper: wrapper(perijove) });
    const user = userEvent.setup();
    const owner = screen.getByLabelText<HTMLInputElement>('Owner');
    await user.clear(owner);
    await user.type(owner, 'Grace');
    answer = () =>
      new Response(JSON.stringify({ code: 'conflict', message: 'Changed.', hint: '' }), {
        status: 409
      });
    await user.click(screen.getByRole('button', { name: 'Save project' }));
    await waitFor(() => expect(onReload).toHaveBeenCalled());
    rerender(form({ ...PROJECT, owner: 'Edsger', revision: 'r2' }, onDone, onReload));
    expect(screen.getByRole('alert').textContent).toContain('Owner: Edsger');
    expect(owner.value).toBe('Grace');
    answer = () => PROJECT;
    await user.click(screen.getByRole('button', { name: 'Save over the newer file' }));
    await waitFor(() => expect(onDone).toHaveBeenCalled());
    expect(saved[1]).toMatchObject({ revision: 'r2', owner: 'Grace' });
  });
});
