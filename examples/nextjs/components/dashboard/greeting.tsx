'use client';

import { useMe } from '@/components/me';

export function Greeting() {
  const { name } = useMe().shown;
  return <h1>{name ? `Good to see you, ${name.split(' ')[0]}` : 'Good to see you'}</h1>;
}
