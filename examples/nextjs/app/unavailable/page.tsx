import type { Metadata } from 'next';

import { Wordmark } from '@/components/wordmark';
import { returnPath } from '@/lib/return-path';

export const metadata: Metadata = { title: 'One moment' };

interface Props {
  searchParams: Promise<Record<'next', string | string[] | undefined>>;
}

/** Shown with status 503 instead of a page when the session must be refreshed and the identity provider is unreachable. */
export default async function Unavailable({ searchParams }: Props) {
  const { next } = await searchParams;
  return (
    <div className="standalone">
      <header>
        <Wordmark href="/" />
      </header>
      <main id="main">
        <h1>One moment, please</h1>
        <p>The sign-in service is temporarily unavailable. You are still signed in.</p>
        {/* Without `next` the URL is that of the requested page, so reloading retries. */}
        <a className="button" href={next === undefined ? '' : returnPath(next)}>
          Try again
        </a>
      </main>
    </div>
  );
}
