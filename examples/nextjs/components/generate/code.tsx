'use client';

import { useState } from 'react';

/** What the model has written so far. It is announced when it is whole: read piece by piece, nobody could follow it. */
export function Code({ text, busy }: { text: string; busy: boolean }) {
  const [copied, setCopied] = useState('');
  if (!text && !busy) {
    return (
      <div className="code code-empty">
        <p>Your code appears here, as it is written.</p>
      </div>
    );
  }
  return (
    <section className="code" aria-label="Code" aria-busy={busy}>
      <div className="code-head">
        <p role="status">{busy ? 'Writing…' : `${text.split('\n').length} lines`}</p>
        <button
          type="button"
          className="button button-small button-quiet"
          aria-disabled={!text || undefined}
          onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}
        >
          {copied && copied === text ? 'Copied' : 'Copy'}
        </button>
      </div>
      <pre tabIndex={0}>
        <code>{text}</code>
        {busy && <span className="caret" aria-hidden="true" />}
      </pre>
    </section>
  );
}
