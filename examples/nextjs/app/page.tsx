import Link from 'next/link';

import { Wordmark } from '@/components/wordmark';
import { product } from '@/lib/product';
import { visitorOfRequest } from '@/lib/supabase/user';

const REASONS = [
  { title: 'Bring your own model', text: 'You pay your provider, not us. Swap models whenever a better one appears.' },
  { title: 'Sealed keys', text: 'Each key is encrypted for you alone, and shown as a few letters ever after.' },
  { title: 'One sign-in', text: 'Google, GitHub or a password. One button ends every session you have.' },
];

const GLIMPSE = `function slug(title: string) {
  return title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}`;

export default async function Landing() {
  const isSignedIn = (await visitorOfRequest()).state === 'signed-in';
  return (
    <div className="landing">
      <header className="landing-bar">
        <Wordmark href="/" />
        {isSignedIn ? (
          <Link className="button button-small" href="/dashboard">
            Open {product.name}
          </Link>
        ) : (
          <Link className="button button-small button-quiet" href="/sign-in">
            Sign in
          </Link>
        )}
      </header>
      <main id="main">
        <div className="hero">
          <div className="hero-words">
            <h1>{product.promise}</h1>
            <p>{product.description}</p>
            <Link className="button button-large" href={isSignedIn ? '/generate' : '/sign-up'}>
              {isSignedIn ? 'Write something' : 'Start now'}
            </Link>
          </div>
          <figure className="glimpse">
            <figcaption>“A function that turns a title into a slug.”</figcaption>
            <pre>{GLIMPSE}</pre>
          </figure>
        </div>
        <ul className="reasons">
          {REASONS.map(({ title, text }) => (
            <li key={title}>
              <h2>{title}</h2>
              <p>{text}</p>
            </li>
          ))}
        </ul>
      </main>
    </div>
  );
}
