import type { Metadata } from 'next';

import { SessionWatch } from '@/components/session-watch';
import { SecondStepForm } from '@/components/sign-in/second-step-form';
import { SECOND_STEP, returnPath } from '@/lib/return-path';
import { userOf } from '@/lib/supabase/user';

export const metadata: Metadata = { title: 'Second step' };

interface Props {
  searchParams: Promise<Record<'next', string | string[] | undefined>>;
}

/** Asks a user with an authenticator app for its code, after the first step of a sign-in. */
export default async function SecondStep({ searchParams }: Props) {
  const { id } = await userOf(SECOND_STEP);
  const next = returnPath((await searchParams).next);
  return (
    <>
      <SessionWatch user={id} />
      <h1>Enter your code</h1>
      <p className="aside">Open your authenticator app and enter the code that it shows for this account.</p>
      <SecondStepForm next={next} />
    </>
  );
}
