import { Notice } from '@/components/notice';
import type { SignInMethods } from '@/lib/supabase/settings';

import { EmailForm } from './email-form';
import { Providers } from './providers';

/** The ways to sign in or up that the identity provider offers, or why there are none. */
export function Methods({ kind, next, methods }: { kind: 'sign-in' | 'sign-up'; next: string; methods: SignInMethods | undefined }) {
  // The browser may reach the identity provider although this server does not, so the form stays.
  if (!methods) {
    return (
      <>
        <Notice tone="problem" title="The sign-in service cannot be reached">
          <p>Signing in may not work at the moment. Nothing is wrong with your account.</p>
          <div className="notice-actions">
            <a className="button button-small button-quiet" href="">
              Try again
            </a>
          </div>
        </Notice>
        <EmailForm kind={kind} next={next} />
      </>
    );
  }
  if (kind === 'sign-up' && !methods.signUp) return <Notice tone="plain">Sign-up is currently disabled. If you have an account, sign in.</Notice>;
  if (!methods.email && methods.providers.length === 0) return <Notice tone="problem">No sign-in method is enabled. Contact support.</Notice>;
  return (
    <>
      {methods.providers.length > 0 && <Providers ids={methods.providers} next={next} />}
      {methods.email && methods.providers.length > 0 && <p className="divider">or with your email address</p>}
      {methods.email && <EmailForm kind={kind} next={next} />}
    </>
  );
}
