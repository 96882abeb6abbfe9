import type { ReactNode } from 'react';

import { Wordmark } from '@/components/wordmark';
import { product } from '@/lib/product';

export default function SigningInLayout({ children }: { children: ReactNode }) {
  return (
    <div className="entrance">
      <header className="entrance-side">
        <Wordmark href="/" />
        <p className="entrance-promise">{product.promise}</p>
      </header>
      <main id="main" className="entrance-main">
        {children}
      </main>
    </div>
  );
}
