import Link from 'next/link';

import { Wordmark } from '@/components/wordmark';

export default function NotFound() {
  return (
    <div className="standalone">
      <header>
        <Wordmark href="/" />
      </header>
      <main id="main">
        <h1>Page not found</h1>
        <p>The page does not exist or was moved.</p>
        <Link className="button" href="/">
          Back to the start page
        </Link>
      </main>
    </div>
  );
}
