'use client';

import { useCallback, useEffect, useRef, useState } from 'react';

import type { Problem } from './problem';
import type { Result } from './result';

/** Loads data on mount and on `reload`. The previous data stays visible while reloading. */
export function useResult<T>(load: () => Promise<Result<T>>) {
  const [data, setData] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  const latest = useRef(0);

  const reload = useCallback(async () => {
    const mine = ++latest.current;
    const answer = await load();
    // Ignore responses that arrive after a later request or after unmount.
    if (mine !== latest.current) return;
    setProblem(answer.problem);
    if (!answer.problem) setData(answer.data);
  }, [load]);

  useEffect(() => {
    void reload();
    return () => void latest.current++;
  }, [reload]);

  return { data, setData, problem, reload };
}
