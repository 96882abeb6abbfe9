import type { ReactNode } from 'react';

/** A message. Screen readers announce problems immediately and other messages politely. */
export function Notice({ tone, title, children }: { tone: 'problem' | 'good' | 'plain'; title?: string; children?: ReactNode }) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'problem' ? 'alert' : 'status'}>
      {title && <p className="notice-title">{title}</p>}
      {children && <div>{children}</div>}
    </div>
  );
}
