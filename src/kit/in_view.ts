import type { RefObject } from 'react';
import { useEffect, useState } from 'react';

/** Whether a node is in view; always, where the browser cannot tell. */
export function useInView(node: RefObject<Element>, margin = '0px'): boolean {
  const [inView, setInView] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    if (node.current === null || typeof IntersectionObserver === 'undefined') {
      return;
    }
    const observer = new IntersectionObserver(
      entries => setInView(entries.at(-1)?.isIntersecting === true),
      { rootMargin: margin }
    );
    observer.observe(node.current);
    return () => observer.disconnect();
  }, [node, margin]);
  return inView;
}
