import type { Trans } from '../api/language';
import { classes } from './classes';
import { useTrans } from './services';

/**
 * The states that things of ours have. A step's states come first; the others are of runs,
 * endpoints, gate checks and verdicts, and share their glyphs.
 */
export type Condition =
  | 'ok'
  | 'attention'
  | 'running'
  | 'failed'
  | 'not_started'
  | 'queued'
  | 'finished'
  | 'stopped'
  | 'lost'
  | 'starting'
  | 'serving'
  | 'degraded'
  | 'pass'
  | 'fail'
  | 'unknown'
  | 'met'
  | 'missed'
  | 'leaks'
  | 'unmeasured'
  | 'unknown_metric';

type Glyph = 'ok' | 'attention' | 'running' | 'failed' | 'not_started' | 'stopped';

const GLYPHS: Record<Condition, Glyph> = {
  ok: 'ok',
  attention: 'attention',
  running: 'running',
  failed: 'failed',
  not_started: 'not_started',
  queued: 'not_started',
  finished: 'ok',
  stopped: 'stopped',
  lost: 'failed',
  starting: 'running',
  serving: 'ok',
  degraded: 'attention',
  pass: 'ok',
  fail: 'failed',
  unknown: 'not_started',
  met: 'ok',
  missed: 'failed',
  leaks: 'failed',
  unmeasured: 'not_started',
  unknown_metric: 'failed'
};

const PATHS: Record<Glyph, string> = {
  ok: 'M4.6 8.3 7 10.7 11.5 5.8',
  attention: 'M8 4.4v4.4M8 11v.6',
  running: 'M6.6 5.2v5.6L11 8z',
  failed: 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8',
  not_started: '',
  stopped: 'M5.8 5.8h4.4v4.4H5.8z'
};

export interface StateGlyphProps {
  state: Condition;
  /** Shows the word beside the glyph; otherwise it is there for screen readers and as a tooltip. */
  word?: boolean;
  /** Another word than the state's own. */
  label?: string;
}

/** A state as a glyph and a word, never as a colour alone. */
export function StateGlyph({ state, word = false, label }: StateGlyphProps): JSX.Element {
  const trans = useTrans();
  const text = label ?? conditionWord(state, trans);
  const glyph = GLYPHS[state];
  return (
    <span className={classes('pj-State', `pj-mod-${glyph}`)} title={word ? undefined : text}>
      <svg className="pj-State-glyph" viewBox="0 0 16 16" aria-hidden="true">
        {glyph === 'attention' ? (
          <path className="pj-State-shape" d="M8 1.4 15 14H1z" />
        ) : (
          <circle className="pj-State-shape" cx="8" cy="8" r="6.5" />
        )}
        {PATHS[glyph] !== '' && (
          <path
            className={
              glyph === 'running' || glyph === 'stopped' ? 'pj-State-fill' : 'pj-State-mark'
            }
            d={glyph === 'attention' ? 'M8 6v3.4M8 11.4v.6' : PATHS[glyph]}
          />
        )}
      </svg>
      <span className={word ? 'pj-State-word' : 'pj-visually-hidden'}>{text}</span>
    </span>
  );
}

/** The word of a state. */
export function conditionWord(state: Condition, trans: Trans): string {
  switch (state) {
    case 'ok':
      return trans.__('ok');
    case 'attention':
      return trans.__('attention');
    case 'running':
      return trans.__('running');
    case 'failed':
      return trans.__('failed');
    case 'not_started':
      return trans.__('not started');
    case 'queued':
      return trans.__('waiting');
    case 'finished':
      return trans.__('finished');
    case 'stopped':
      return trans.__('stopped');
    case 'lost':
      return trans.__('lost');
    case 'starting':
      return trans.__('starting');
    case 'serving':
      return trans.__('serving');
    case 'degraded':
      return trans.__('degraded');
    case 'pass':
      return trans.__('pass');
    case 'fail':
      return trans.__('fail');
    case 'unknown':
      return trans.__('unknown');
    case 'met':
      return trans.__('met');
    case 'missed':
      return trans.__('missed');
    case 'leaks':
      return trans.__('leaks');
    case 'unmeasured':
      return trans.__('not measured');
    case 'unknown_metric':
      return trans.__('unknown metric');
  }
}
