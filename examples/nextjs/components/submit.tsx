import type { ComponentProps } from 'react';

/** A button that says what it is doing. It stays focusable meanwhile, so that the focus is not lost; the form refuses a second press. */
export function Submit({ busy, doing, children, className = 'button', ...button }: ComponentProps<'button'> & { busy: boolean; doing: string }) {
  return (
    <button type="submit" className={className} aria-disabled={busy || undefined} {...button}>
      {busy ? doing : children}
    </button>
  );
}
