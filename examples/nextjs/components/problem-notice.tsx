import type { ReactNode } from 'react';

import type { Problem } from '@/lib/api/problem';

import { Notice } from './notice';

/** A problem with its explanation, reference and actions. */
export function ProblemNotice({ problem, retry, children }: { problem: Problem; retry?: () => void; children?: ReactNode }) {
  return (
    <Notice tone="problem" title={problem.title}>
      <p>{problem.text}</p>
      {problem.requestId && <p className="notice-reference">Reference: {problem.requestId}</p>}
      {(retry || children) && (
        <div className="notice-actions">
          {children}
          {retry && (
            <button type="button" className="button button-small button-quiet" onClick={retry}>
              Try again
            </button>
          )}
        </div>
      )}
    </Notice>
  );
}
