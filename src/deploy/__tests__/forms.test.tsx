import { cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { PerijoveError } from '../../api/errors';
import type { Field, GateCheck, InvokeReply } from '../../api';
import { OverrideForm } from '../components/override';
import { Snippets } from '../components/snippets';
import { TryIt } from '../components/tryit';

afterEach(cleanup);

describe('the try-it form', () => {
  const fields: Field[] = [
    { name: 'size', type: 'INT64', required: true },
    { name: 'nightly', type: 'BOOL', required: true },
    { name: 'branch', type: 'BYTES', required: true }
  ];
  const sample = { size: 12, nightly: false, branch: 'main' };
  const answer: InvokeReply = {
    prediction_id: 'p-1',
    status: 200,
    body: '{"outputs":[{"name":"probability","data":[0.25]}]}',
    milliseconds: 3.14159
  };

  it('sends the sample row as it is, and shows prediction, time and id', async () => {
    const invoke = vi.fn().mockResolvedValue(answer);
    render(<TryIt {...{ fields, sample, invoke }} />);
    await userEvent.click(screen.getByRole('button', { name: 'Send request' }));
    expect(invoke).toHaveBeenCalledWith(sample);
    await screen.findByText('3.1 ms');
    expect(screen.getByText('0.25')).toBeTruthy();
    expect(screen.getByText('p-1')).toBeTruthy();
  });

  it('stops at the column that cannot be sent', async () => {
    const invoke = vi.fn();
    render(<TryIt {...{ fields, sample, invoke }} />);
    const size = screen.getByLabelText(/^size/);
    await userEvent.clear(size);
    await userEvent.type(size, 'large{Enter}');
    expect(invoke).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(size);
    expect(size.getAttribute('aria-invalid')).toBe('true');
    expect(screen.getByText('Write a whole number.')).toBeTruthy();
  });

  it.each([
    [
      'an answer',
      () => Promise.resolve({ ...answer, status: 400, body: '{"error":"\'branch\' is new"}' })
    ],
    [
      'an error',
      () =>
        Promise.reject(
          new PerijoveError({ code: 'model_input', message: "'branch' is new", hint: '' }, 400)
        )
    ]
  ])('puts the refusal of %s beside the column that it names', async (_, invoke) => {
    render(<TryIt {...{ fields, sample, invoke }} />);
    await userEvent.click(screen.getByRole('button', { name: 'Send request' }));
    const branch = screen.getByLabelText(/^branch/);
    await waitFor(() => expect(branch.getAttribute('aria-invalid')).toBe('true'));
    expect(document.activeElement).toBe(branch);
  });

  it('says why it is closed', () => {
    render(<TryIt {...{ fields, sample, invoke: vi.fn() }} closed="Stopped." />);
    expect(screen.getByText('Stopped.')).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send request' }).disabled).toBe(
      true
    );
  });
});

describe('the override', () => {
  const checks: GateCheck[] = [
    { id: 'kpi_met', step: 'problem', title: 'KPI', state: 'fail', detail: '', items: [], fix: '' }
  ];

  it('is a link until it is opened, and wants a name and a reason', async () => {
    const onOverride = vi.fn();
    render(<OverrideForm {...{ checks, onOverride }} what="builds@3 to builds" busy={false} />);
    expect(screen.queryByRole('textbox')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Override the gate…' }));
    const action = screen.getByRole('button', { name: 'Override and deploy builds@3 to builds' });
    await userEvent.click(action);
    expect(onOverride).not.toHaveBeenCalled();
    expect(screen.getByText('Sign with your name.')).toBeTruthy();
    await userEvent.type(screen.getByLabelText('Your name'), ' Ada ');
    await userEvent.type(screen.getByLabelText('Reason'), 'A test of it.');
    await userEvent.click(action);
    expect(onOverride).toHaveBeenCalledWith('Ada', 'A test of it.');
  });
});

describe('snippets', () => {
  it('have a tab for each language, by keyboard too, and copy what is shown', async () => {
    const copy = vi.fn();
    render(<Snippets snippets={{ curl: 'curl x', python: 'import x' }} {...{ copy }} />);
    screen.getByRole('tab', { name: 'curl' }).focus();
    await userEvent.keyboard('{ArrowRight}');
    expect(screen.getByRole('tab', { name: 'Python' }).getAttribute('aria-selected')).toBe('true');
    await userEvent.click(screen.getByRole('button', { name: 'Copy' }));
    expect(copy).toHaveBeenCalledWith('import x');
    expect(screen.getByRole('button', { name: 'Copied' })).toBeTruthy();
  });
});
