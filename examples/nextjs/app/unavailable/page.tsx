import type { Metadata } from 'next';

import { Wordmark } from '@/components/wordmark';
import { returnPath } from '@/lib/return-path';

export const metadata: Metadata = { title: 'One moment' };

interface Props {
  searchParams: Promise<Record<'next', string | string[] | undefined>>;
}

/** The identity provider, which has to renew the session, cannot be reached. Shown in place of a page, with the status 503. */
export default async function Unavailable({ searchParams }: Props) {
  const { next } = await searchParams;
  return (
    <div className="alone">
      <header>
        <Wordmark href="/" />
      </header>
      <main id="main">
        <h1>One moment, please</h1>
        <p>The sign-in service is out of reach. You are still signed in, and nothing is lost.</p>
        {/* Without `next` the address is that of the page that was asked for: loading it again is trying again. */}
        <a className="button" href={next === undefined ? '' : returnPath(next)}>
          Try again
        </a>
      </main>
    </div>
  );
}
