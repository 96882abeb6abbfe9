'use client';

import { useCallback, useEffect, useRef, useState } from 'react';

import type { Problem } from './problem';
import type { Result } from './result';

/** Loads something for a component: once at the beginning, and again when told to. What is shown stays while it is loaded anew. */
export function useResult<T>(load: () => Promise<Result<T>>) {
  const [data, setData] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  const latest = useRef(0);

  const reload = useCallback(async () => {
    const mine = ++latest.current;
    const answer = await load();
    // An answer that was overtaken by a later one, or by the end of the component, is dropped.
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
