import Link from 'next/link';

import { Wordmark } from '@/components/wordmark';
import { product } from '@/lib/product';
import { visitorOfRequest } from '@/lib/supabase/user';

const REASONS = [
  { title: 'Bring your own model', text: 'Use your own provider account and switch models at any time.' },
  { title: 'Encrypted keys', text: 'Each API key is encrypted before it is stored and only shown masked.' },
  { title: 'One sign-in', text: 'Google, GitHub or a password. One button ends all sessions.' },
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
              {isSignedIn ? 'Generate code' : 'Start now'}
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
