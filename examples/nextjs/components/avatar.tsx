'use client';

import { useState } from 'react';

/** The picture, or the first letter of the name if there is none or it fails to load. Decorative: the name is next to it. */
export function Avatar({ name, picture, large = false }: { name: string; picture?: string | null | undefined; large?: boolean }) {
  const [broken, setBroken] = useState<string>();
  const size = large ? 'avatar avatar-large' : 'avatar';
  if (picture && picture !== broken) {
    // next/image would proxy images of any host through this server.
    return <img className={size} src={picture} alt="" referrerPolicy="no-referrer" onError={() => setBroken(picture)} />;
  }
  return (
    <span className={size} aria-hidden="true">
      {(Array.from(name.trim())[0] ?? '?').toUpperCase()}
    </span>
  );
}
