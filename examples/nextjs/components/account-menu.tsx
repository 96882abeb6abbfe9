'use client';

import { useEffect, useRef } from 'react';

import { Avatar } from './avatar';
import { useMe } from './me';
import { SignOutButtons } from './sign-out-buttons';

/** A `details` element instead of a menu: it contains text and one button, and works before hydration. */
export function AccountMenu() {
  const { name, email, picture } = useMe().shown;
  const details = useRef<HTMLDetailsElement>(null);

  useEffect(() => {
    const close = (event: Event) => {
      const menu = details.current;
      if (!menu?.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== 'Escape') return;
        menu.querySelector('summary')?.focus();
      } else if (menu.contains(event.target as Node)) return;
      menu.open = false;
    };
    document.addEventListener('click', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('click', close);
      document.removeEventListener('keydown', close);
    };
  }, []);

  return (
    <details className="account" ref={details}>
      <summary aria-label="Your account">
        <Avatar name={name || email} picture={picture} />
      </summary>
      <div className="account-panel">
        <p className="account-who">
          {name && <strong>{name}</strong>}
          <span>{email}</span>
        </p>
        <SignOutButtons />
      </div>
    </details>
  );
}
