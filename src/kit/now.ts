import { useEffect, useState } from 'react';

import { useVisible } from './services';

/** The time now, each second while something runs. */
export function useNow(ticking: boolean): number {
  const visible = useVisible();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!ticking || !visible) {
      return;
    }
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking, visible]);
  return now;
}
