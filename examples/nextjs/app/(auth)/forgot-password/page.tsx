import type { Metadata } from 'next';
import Link from 'next/link';

import { Notice } from '@/components/notice';
import { ForgotForm } from '@/components/sign-in/forgot-form';
import { ofLinkInWords } from '@/lib/sign-in-problem';

export const metadata: Metadata = { title: 'Forgot your password?' };

interface Props {
  searchParams: Promise<Record<'problem', string | string[] | undefined>>;
}

export default async function ForgotPassword({ searchParams }: Props) {
  const { problem: code } = await searchParams;
  const problem = typeof code === 'string' ? ofLinkInWords(code) : undefined;
  return (
    <>
      <h1>Forgot your password?</h1>
      <p className="aside">Enter your email address and we will send you a link to set a new one.</p>
      {problem && <Notice tone={problem.tone}>{problem.text}</Notice>}
      <ForgotForm />
      <p className="aside">
        Remembered it? <Link href="/sign-in">Sign in</Link>
      </p>
    </>
  );
}
