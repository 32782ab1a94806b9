import type { ReactNode } from 'react';

export interface LongColumn<Row> {
  id: string;
  title: string;
  /** Explains the title on hover. */
  help?: string;
  /** Columns of one group that stand together have a heading in common. */
  group?: string;
  /** In pixels. */
  width: number;
  align?: 'start' | 'end';
  /** Stays in view while the others are scrolled; the first columns only. */
  fixed?: boolean;
  sortable?: boolean;
  render: (row: Row) => ReactNode;
}
