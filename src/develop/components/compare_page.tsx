import type { PageArgs, PageProps } from '../../kit/page';
export interface CompareArgs extends PageArgs { run_ids: string[] }
export default function ComparePage({ args }: PageProps<CompareArgs>): JSX.Element { return <p>{args.run_ids.length}</p>; }
