import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { StepStatus } from '../../api';
import { LifecycleTree } from '../components/lifecycle';
import { tellingStep, worstState } from '../model';

function step(name: StepStatus['step'], part: Partial<StepStatus> = {}): StepStatus {
  return { step: name, state: 'ok', fact: '', next: '', entries: [], value: null, ...part };
}

const STEPS: StepStatus[] = [
  step('problem', { fact: 'roc_auc ≥ 0.75' }),
  step('data', {
    entries: [
      { ref: 'data:builds@1', label: 'builds v1', state: 'ok', detail: '1,499 rows' },
      { ref: 'data:raw@1', label: 'raw v1', state: 'attention', detail: 'changed' }
    ]
  }),
  step('develop', { state: 'not_started', next: 'Track a cell' }),
  step('operate')
];

function tree() {
  const calls = { onOpenStep: vi.fn(), onOpenEntry: vi.fn(), onNext: vi.fn() };
  render(<LifecycleTree steps={STEPS} {...calls} />);
  return calls;
}

function focused(): string | null | undefined {
  return document.activeElement?.getAttribute('data-row');
}

describe('the life cycle', () => {
  afterEach(cleanup);

  it('says each state in a word', () => {
    tree();
    expect(screen.getAllByRole('treeitem').map(row => row.textContent)).toEqual([
      expect.stringContaining('ok'),
      expect.stringContaining('ok'),
      expect.stringContaining('not started'),
      expect.stringContaining('ok')
    ]);
  });

  it('has one row in the order of the Tab key, and moves with the arrows', async () => {
    const calls = tree();
    const user = userEvent.setup();
    await user.tab();
    expect(focused()).toBe('problem');
    await user.keyboard('{ArrowDown}{ArrowRight}{ArrowRight}');
    expect(focused()).toBe('data/0');
    await user.keyboard('{ArrowDown}{Enter}');
    expect(calls.onOpenEntry).toHaveBeenCalledWith(STEPS[1]!.entries[1]);
    await user.keyboard('{ArrowLeft}{ArrowLeft}');
    expect(focused()).toBe('data');
    expect(screen.queryByText('builds v1')).toBeNull();
    await user.keyboard('{End}{Enter}');
    expect(calls.onOpenStep).toHaveBeenCalledWith(STEPS[3]);
  });

  it('opens entries by their twisty without opening the step', async () => {
    const calls = tree();
    await userEvent.setup().click(screen.getByTitle('Show entries'));
    expect(screen.getByText('raw v1')).toBeTruthy();
    expect(calls.onOpenStep).not.toHaveBeenCalled();
  });

  it('offers the next thing to do of a step that has not started', async () => {
    const calls = tree();
    await userEvent.setup().click(screen.getByRole('button', { name: 'Track a cell' }));
    expect(calls.onNext).toHaveBeenCalledWith(STEPS[2]);
    expect(calls.onOpenStep).not.toHaveBeenCalled();
  });
});

describe('the state that matters most', () => {
  it('is the most pressing one; what runs is told about', () => {
    const steps = [
      step('problem', { state: 'attention' }),
      step('develop', { state: 'running' }),
      step('monitor', { state: 'failed' })
    ];
    expect(worstState(steps)).toBe('failed');
    expect(tellingStep(steps)?.step).toBe('develop');
    expect(tellingStep(steps.slice(2))?.step).toBe('monitor');
    expect(worstState([])).toBe('not_started');
  });
});
