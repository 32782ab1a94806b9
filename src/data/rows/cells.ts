import { TimeUnit, Type, type DataType } from '@uwdata/flechette';

/** A cell that has not arrived. */
export const LOADING = Symbol('loading');

/** How a cell is shown. */
export interface ICellText {
  text: string;
  /** What is not a value of its own (null, an empty text, NaN) stands back. */
  quiet: boolean;
}

/** A function that writes a value of a column in full, as it would be copied. */
export type CellWriter = (value: unknown) => string;

/**
 * How the values of an Arrow type are written: integers whole, times in ISO 8601, and nested
 * values as JSON.
 */
export function writer(type: DataType): CellWriter {
  switch (type.typeId) {
    case Type.Dictionary:
      return writer(type.dictionary);
    case Type.Decimal:
      return value => writeDecimal(value, type.scale);
    case Type.Date:
      return value => (typeof value === 'number' ? isoTime(value).slice(0, 10) : plain(value));
    case Type.Timestamp: {
      const zone = type.timezone ? 'Z' : '';
      return value => (typeof value === 'number' ? writeTimestamp(value) + zone : plain(value));
    }
    case Type.Time:
      return value => writeTimeOfDay(value, type.unit);
    case Type.Binary:
    case Type.LargeBinary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return writeBytes;
    default:
      return plain;
  }
}

/**
 * What the grid paints for a value.
 *
 * @param value - As it came from Arrow; null where there is none.
 *
 * @param write - How the column's values are written in full.
 */
export function cellText(value: unknown, write: CellWriter): ICellText {
  if (value === LOADING) {
    return { text: '…', quiet: true };
  }
  if (value === null || value === undefined) {
    return { text: 'null', quiet: true };
  }
  if (value === '') {
    return { text: 'empty', quiet: true };
  }
  if (typeof value === 'number' && Number.isNaN(value)) {
    return { text: 'NaN', quiet: true };
  }
  const full = write(value);
  if (typeof value === 'number' && /^-?\d*\.\d{6,}$/.test(full)) {
    return { text: String(Number(value.toPrecision(6))), quiet: false };
  }
  // A canvas has one line a cell, and measures all of the text that it is given.
  const line = full.length > MAX_PAINTED ? full.slice(0, MAX_PAINTED) + '…' : full;
  return { text: line.replace(/\r\n|\r|\n/g, ' ↵ '), quiet: false };
}

const MAX_PAINTED = 200;

function plain(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  switch (typeof value) {
    case 'string':
      return value;
    case 'object':
      return JSON.stringify(value, jsonValue);
    case 'number':
      return Number.isFinite(value) ? String(value) : writeNonFinite(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return '';
  }
}

function writeNonFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return writeNonFinite(value);
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<unknown>);
  }
  return value;
}

/** Decimals arrive as integers in units of the last digit: a float would round them. */
function writeDecimal(value: unknown, scale: number): string {
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    return plain(value);
  }
  const text = BigInt(value).toString();
  if (scale <= 0) {
    return text;
  }
  const sign = text.startsWith('-') ? '-' : '';
  const digits = text.slice(sign.length).padStart(scale + 1, '0');
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

/** Milliseconds, with what is left of microseconds behind the point. */
function writeTimestamp(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.round((ms - whole) * 1000);
  const [date = '', time = ''] = isoTime(whole).replace('Z', '').split('T');
  const fraction = micros > 0 ? String(micros).padStart(3, '0') : '';
  const shown = (time + fraction).replace(/\.000$/, '');
  return time ? `${date} ${shown}` : date;
}

function writeTimeOfDay(value: unknown, unit: number): string {
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    return plain(value);
  }
  const perSecond = SECOND_IN[unit] ?? 1;
  const units = Number(value);
  const seconds = Math.floor(units / perSecond);
  const clock = new Date(seconds * 1000).toISOString().slice(11, 19);
  const rest = units - seconds * perSecond;
  const digits = String(perSecond).length - 1;
  return rest > 0 ? `${clock}.${String(rest).padStart(digits, '0')}` : clock;
}

const SECOND_IN: Record<number, number> = {
  [TimeUnit.SECOND]: 1,
  [TimeUnit.MILLISECOND]: 1e3,
  [TimeUnit.MICROSECOND]: 1e6,
  [TimeUnit.NANOSECOND]: 1e9
};

function writeBytes(value: unknown): string {
  if (!(value instanceof Uint8Array)) {
    return plain(value);
  }
  const shown = value.subarray(0, 64);
  const hex = Array.from(shown, byte => byte.toString(16).padStart(2, '0')).join('');
  return `0x${hex}${value.length > shown.length ? '…' : ''}`;
}
