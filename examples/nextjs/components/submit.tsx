import type { ComponentProps } from 'react';

/** A submit button that shows progress. It stays focusable while busy, so focus is not lost; the form ignores repeated submits. */
export function Submit({ busy, doing, children, className = 'button', ...button }: ComponentProps<'button'> & { busy: boolean; doing: string }) {
  return (
    <button type="submit" className={className} aria-disabled={busy || undefined} {...button}>
      {busy ? doing : children}
    </button>
  );
}
