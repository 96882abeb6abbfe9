import type { Metadata } from 'next';

import { SessionWatch } from '@/components/session-watch';
import { NewPasswordForm } from '@/components/sign-in/new-password-form';
import { NEW_PASSWORD } from '@/lib/return-path';
import { userOf } from '@/lib/supabase/user';

export const metadata: Metadata = { title: 'New password' };

/** The target of a password reset link. Following the link has already signed the user in. */
export default async function NewPassword() {
  const { id, email } = await userOf(NEW_PASSWORD);
  return (
    <>
      <SessionWatch user={id} />
      <h1>Choose a new password</h1>
      <NewPasswordForm email={email} />
    </>
  );
}
