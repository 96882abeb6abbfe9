import type { ReactNode } from 'react';

/** Something to know. A problem is read out at once, anything else when there is time for it. */
export function Notice({ tone, title, children }: { tone: 'problem' | 'good' | 'plain'; title?: string; children?: ReactNode }) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'problem' ? 'alert' : 'status'}>
      {title && <p className="notice-title">{title}</p>}
      {children && <div>{children}</div>}
    </div>
  );
}
