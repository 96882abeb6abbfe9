import Link from 'next/link';

import { Wordmark } from '@/components/wordmark';

export default function NotFound() {
  return (
    <div className="alone">
      <header>
        <Wordmark href="/" />
      </header>
      <main id="main">
        <h1>There is nothing here</h1>
        <p>The page was moved, or never was.</p>
        <Link className="button" href="/">
          To the start
        </Link>
      </main>
    </div>
  );
}
