/**
 * Numbers, bytes and times as people read them. Each short form has its full twin for the tooltip.
 */
import { locale } from '../api/language';
import type { WireNumber } from '../api/types';

/** What stands where there is no value. */
export const NOTHING = '–';

/**
 * Formatters of the language, made once: `toLocaleString` makes one at each call, which costs more
 * than all else that a cell of a table does.
 */
const NUMBERS = new Map<string, Intl.NumberFormat>();
const DATES = new Map<string, Intl.DateTimeFormat>();
const RELATIVES = new Map<string, Intl.RelativeTimeFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return made(
    NUMBERS,
    JSON.stringify(options),
    language => new Intl.NumberFormat(language, options)
  );
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return made(
    DATES,
    JSON.stringify(options),
    language => new Intl.DateTimeFormat(language, options)
  );
}

function made<T>(known: Map<string, T>, options: string, make: (language?: string) => T): T {
  const language = locale();
  const key = `${language ?? ''} ${options}`;
  let found = known.get(key);
  if (found === undefined) {
    found = make(language);
    known.set(key, found);
  }
  return found;
}

/** With just so many digits behind the point. */
function fixed(value: number, digits: number): string {
  return numbers({
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false
  }).format(value);
}

function precise(value: number, digits: number): string {
  return numbers({
    minimumSignificantDigits: digits,
    maximumSignificantDigits: digits,
    useGrouping: false
  }).format(value);
}

/** Read a number off the wire. */
export function toNumber(value: WireNumber | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** A measured value with three significant figures; whole digits are never rounded away. */
export function figure(value: WireNumber | null | undefined): string {
  const number = toNumber(value);
  if (number === null) {
    return NOTHING;
  }
  if (!Number.isFinite(number)) {
    return Number.isNaN(number) ? 'NaN' : number > 0 ? '∞' : '−∞';
  }
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) {
    return number.toExponential(2).replace('e+', 'e').replace('-', '−');
  }
  const options: Intl.NumberFormatOptions =
    size >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return numbers(options).format(number).replace('-', '−');
}

/** All digits of a value, for the tooltip of {@link figure}. */
export function full(value: WireNumber | null | undefined): string {
  const number = toNumber(value);
  return number === null ? '' : String(number);
}

/** A whole number with its digits grouped. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined
    ? NOTHING
    : numbers({ maximumFractionDigits: 0 }).format(value);
}

/** A share in [0, 1] as a percentage. */
export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined ? NOTHING : `${fixed(share * 100, digits)} %`;
}

const BYTES = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** A size in powers of 1024. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return NOTHING;
  }
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < BYTES.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const text = unit === 0 || size >= 99.5 ? fixed(size, 0) : precise(size, size >= 9.95 ? 3 : 2);
  return `${text} ${BYTES[unit]}`;
}

/** A duration given in milliseconds, in its two largest units. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) {
    return NOTHING;
  }
  if (ms < 1000) {
    return ms < 10 && ms !== 0 ? `${precise(ms, 2)} ms` : `${Math.round(ms)} ms`;
  }
  if (ms < 10_000) {
    return `${fixed(ms / 1000, 1)} s`;
  }
  const seconds = Math.round(ms / 1000);
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
    [1, 's']
  ];
  const first = units.findIndex(([length]) => seconds >= length);
  const parts: string[] = [];
  let rest = seconds;
  for (const [length, unit] of units.slice(first, first + 2)) {
    const amount = Math.floor(rest / length);
    rest -= amount * length;
    if (amount > 0) {
      parts.push(`${amount} ${unit}`);
    }
  }
  return parts.join(' ');
}

const RELATIVE: [number, Intl.RelativeTimeFormatUnit][] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute']
];

/** How long ago a time was; a date where that is more than a month. */
export function relative(at: number | null | undefined, now = Date.now()): string {
  if (at === null || at === undefined) {
    return NOTHING;
  }
  const past = at - now;
  if (Math.abs(past) > 30 * 86_400_000) {
    return dates({ dateStyle: 'medium' }).format(at);
  }
  const format = made(
    RELATIVES,
    '',
    language => new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  );
  for (const [length, unit] of RELATIVE) {
    if (Math.abs(past) >= length) {
      return format.format(Math.round(past / length), unit);
    }
  }
  return format.format(0, 'second');
}

/** Date and time in full, for the tooltip of {@link relative}. */
export function absolute(at: number | null | undefined): string {
  return at === null || at === undefined
    ? ''
    : dates({ dateStyle: 'medium', timeStyle: 'medium' }).format(at);
}
