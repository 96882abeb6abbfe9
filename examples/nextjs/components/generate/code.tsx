'use client';

import { useState } from 'react';

/** The generated code. Screen readers announce it only when it is complete. */
export function Code({ text, busy }: { text: string; busy: boolean }) {
  const [copied, setCopied] = useState('');
  if (!text && !busy) {
    return (
      <div className="code code-empty">
        <p>The generated code appears here.</p>
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
