import Link from 'next/link';

import { product } from '@/lib/product';

export function Wordmark({ href }: { href: string }) {
  return (
    <Link className="wordmark" href={href}>
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
        <rect className="wordmark-ground" width="32" height="32" rx="8" />
        <path className="wordmark-arch" d="M7 25v-8a9 9 0 0 1 18 0v8h-5v-8a4 4 0 0 0-8 0v8z" />
      </svg>
      <span>{product.name}</span>
    </Link>
  );
}
