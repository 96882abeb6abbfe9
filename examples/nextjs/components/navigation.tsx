'use client';

import Link from 'next/link';
import { usePathname } from 'next/navigation';

const PLACES = [
  { href: '/dashboard', title: 'Dashboard' },
  { href: '/generate', title: 'Generate' },
  { href: '/settings', title: 'Settings' },
];

export function Navigation() {
  const here = usePathname();
  return (
    <nav className="navigation" aria-label="Main">
      {PLACES.map(({ href, title }) => (
        <Link key={href} href={href} aria-current={here === href ? 'page' : undefined}>
          {title}
        </Link>
      ))}
    </nav>
  );
}
