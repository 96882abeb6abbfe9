import { type RefObject, useEffect } from 'react';

import { SHORTEST_PASSWORD } from './sign-in-problem';

/** The problems of a form: by field, and of the form as a whole. */
export interface FormProblems {
  email?: string | undefined;
  password?: string | undefined;
  code?: string | undefined;
  form?: string | undefined;
}

/** Moves the focus to the first field with a problem, so that screen readers announce it. */
export function useFocusOnProblem(form: RefObject<HTMLFormElement | null>, problems: FormProblems): void {
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [form, problems]);
}

/** Returns what is wrong with an email address, as far as it can be known without sending a mail. */
export function emailProblem(email: string): string | undefined {
  if (email === '') return 'Enter your email address.';
  return /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)*$/.test(email) ? undefined : 'Enter a valid email address, such as name@example.com.';
}

/** Returns what is wrong with the password of a sign-in. */
export function passwordProblem(password: string): string | undefined {
  return password === '' ? 'Enter your password.' : undefined;
}

/** Returns what is wrong with a new password. The identity provider may require more. */
export function newPasswordProblem(password: string): string | undefined {
  if (password === '') return 'Choose a password.';
  return Array.from(password).length < SHORTEST_PASSWORD ? TOO_SHORT : undefined;
}

export const TOO_SHORT = `Use at least ${SHORTEST_PASSWORD} characters for your password.`;

/** Returns what is wrong with the code of an authenticator app. */
export function codeProblem(code: string): string | undefined {
  return /^\d{6}$/.test(code) ? undefined : 'Enter the 6 digits that the app shows.';
}

/** Whether a form has no problem. */
export function isFine(problems: FormProblems): boolean {
  return Object.values(problems).every((problem) => problem === undefined);
}
