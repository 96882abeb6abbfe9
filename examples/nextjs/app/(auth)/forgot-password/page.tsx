import type { Metadata } from 'next';
import Link from 'next/link';

import { Notice } from '@/components/notice';
import { ForgotForm } from '@/components/sign-in/forgot-form';
import { OUT_OF_REACH, ofLinkInWords } from '@/lib/sign-in-problem';
import { signInMethods } from '@/lib/supabase/sign-in-methods';

export const metadata: Metadata = { title: 'Forgot your password?' };

interface Props {
  searchParams: Promise<Record<'problem', string | string[] | undefined>>;
}

export default async function ForgotPassword({ searchParams }: Props) {
  const { problem: code } = await searchParams;
  const methods = await signInMethods();
  const problem = typeof code === 'string' ? ofLinkInWords(code) : undefined;
  return (
    <>
      <h1>Forgot your password?</h1>
      <p className="aside">Enter your email address and we will send you a link to set a new one.</p>
      {problem && <Notice tone={problem.tone}>{problem.text}</Notice>}
      {!methods && <Notice tone="problem">{OUT_OF_REACH}</Notice>}
      {methods?.confirmsByMail === false && (
        <Notice tone="plain">This sign-in service confirms addresses without a mail, so it may not be able to send one.</Notice>
      )}
      <ForgotForm mayHaveNoMail={methods?.confirmsByMail === false} />
      <p className="aside">
        Remembered it? <Link href="/sign-in">Sign in</Link>
      </p>
    </>
  );
}
