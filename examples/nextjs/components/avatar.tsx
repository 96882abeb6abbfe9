'use client';

import { useState } from 'react';

/** A picture, or the first letter where there is none or it cannot be loaded. The name beside it says who it is. */
export function Avatar({ name, picture, large = false }: { name: string; picture?: string | null | undefined; large?: boolean }) {
  const [broken, setBroken] = useState<string>();
  const size = large ? 'avatar avatar-large' : 'avatar';
  if (picture && picture !== broken) {
    // Not next/image: it would fetch pictures of any host through this server.
    return <img className={size} src={picture} alt="" referrerPolicy="no-referrer" onError={() => setBroken(picture)} />;
  }
  return (
    <span className={size} aria-hidden="true">
      {(Array.from(name.trim())[0] ?? '?').toUpperCase()}
    </span>
  );
}
