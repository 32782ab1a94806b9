import { parseRef, refText } from '../api/refs';
import { useOpen } from './open';
import { useServices } from './services';

export interface RefLinkProps {
  /** A reference of the chain, such as `data:builds@3`. */
  of: string;
  /** Another text than the name and version. */
  label?: string;
}

/** A place on the chain as a person reads it; a click opens it where somebody can. */
export function RefLink({ of, label }: RefLinkProps): JSX.Element {
  const { openers } = useServices();
  const open = useOpen();
  const ref = parseRef(of);
  const text = label ?? refText(of);
  if (ref === null || !openers.has(ref.kind)) {
    return <span title={of}>{text}</span>;
  }
  return (
    <button type="button" className="pj-Link" title={of} onClick={() => open(of)}>
      {text}
    </button>
  );
}
