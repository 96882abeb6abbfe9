import { isAuthRetryableFetchError } from '@supabase/supabase-js';

interface Words {
  tone: 'problem' | 'plain';
  text: string;
}

const again = 'Please start again.';

/** The identity provider is unreachable. */
export const OUT_OF_REACH = 'We cannot reach the sign-in service. Check your connection, then try again.';

/** The default minimum password length of Supabase. */
export const SHORTEST_PASSWORD = 6;

/** Messages by error code of the identity provider or of this app. */
const WORDS: Record<string, Words> = {
  access_denied: { tone: 'plain', text: 'You cancelled the sign-in. Try again or use another sign-in method.' },
  anonymous_provider_disabled: { tone: 'problem', text: 'Enter an email address and a password.' },
  bad_code_verifier: { tone: 'problem', text: `This sign-in was started in another browser. ${again}` },
  confirmed: { tone: 'plain', text: 'Your address is confirmed. Sign in to continue.' },
  confirmation_used: { tone: 'plain', text: 'That link has expired or was already used. If you have confirmed your address, sign in. Otherwise sign up again for a new link.' },
  bad_oauth_state: { tone: 'problem', text: `That sign-in has expired. ${again}` },
  email_address_invalid: { tone: 'problem', text: 'Enter a valid email address.' },
  email_address_not_authorized: { tone: 'problem', text: 'The sign-in service cannot send mail to this address. Contact support.' },
  email_exists: { tone: 'problem', text: 'An account with this address already exists. Sign in instead.' },
  email_not_confirmed: { tone: 'problem', text: 'Confirm your address first. The link is in the email we sent you.' },
  email_provider_disabled: { tone: 'problem', text: 'Sign-in with an email address is not available.' },
  ended: { tone: 'plain', text: 'Your session has ended. Sign in to continue.' },
  erased: { tone: 'plain', text: 'Your account and its data are deleted, and you are signed out.' },
  everywhere: { tone: 'plain', text: 'You are signed out, here and on all your devices.' },
  exchange_failed: { tone: 'problem', text: `The sign-in could not be completed. ${again}` },
  flow_state_expired: { tone: 'problem', text: `That sign-in has expired. ${again}` },
  flow_state_not_found: { tone: 'problem', text: `That sign-in has expired or was already used. ${again}` },
  here: { tone: 'plain', text: 'You are signed out on this device.' },
  'here-only': { tone: 'plain', text: 'You are signed out here. The sign-in service is unavailable, so other devices may still be signed in.' },
  insufficient_aal: { tone: 'problem', text: 'Sign in with the code of your authenticator app first.' },
  invalid_credentials: { tone: 'problem', text: 'The email address or the password is wrong.' },
  mfa_challenge_expired: { tone: 'problem', text: 'That took too long. Enter a new code.' },
  mfa_factor_not_found: { tone: 'problem', text: 'This authenticator app was removed. Reload the page.' },
  mfa_totp_enroll_not_enabled: { tone: 'problem', text: 'Two-step verification is not available.' },
  mfa_verification_failed: { tone: 'problem', text: 'The code is wrong or has expired. Enter the one that the app shows now.' },
  over_request_rate_limit: { tone: 'problem', text: 'Too many attempts. Wait a minute, then try again.' },
  pkce_code_verifier_not_found: { tone: 'problem', text: `This sign-in was started in another browser. ${again}` },
  otp_expired: { tone: 'problem', text: 'That link has expired or was already used. Request a new one.' },
  over_email_send_rate_limit: { tone: 'problem', text: 'Too many emails were requested. Wait a while, then try again.' },
  provider_disabled: { tone: 'problem', text: 'This sign-in method is not available.' },
  reauthentication_needed: { tone: 'problem', text: 'Sign in again first, then set your new password.' },
  refused: { tone: 'problem', text: 'Our server did not accept your sign-in, even after renewing it. Sign in again. If that does not help, contact support.' },
  same_password: { tone: 'problem', text: 'The new password must differ from the current one.' },
  session_not_found: { tone: 'problem', text: 'Your session has ended. Sign in again.' },
  signup_disabled: { tone: 'problem', text: 'Sign-up is currently disabled.' },
  soon: { tone: 'plain', text: 'You are signed out. Our server could not be reached, so other devices may stay signed in for up to an hour.' },
  too_many_enrolled_mfa_factors: { tone: 'problem', text: 'You have too many authenticator apps. Remove one first.' },
  user_already_exists: { tone: 'problem', text: 'An account with this address already exists. Sign in instead.' },
  user_banned: { tone: 'problem', text: 'This account is disabled. Contact support if this is a mistake.' },
  validation_failed: { tone: 'problem', text: 'Enter an email address and a password.' },
  weak_password: { tone: 'problem', text: 'That password is too easy to guess. Use a longer one.' },
};

/** What was asked of the identity provider, for failures without a known code. */
const FAILED = {
  'sign-in': 'The sign-in did not work. Please try again in a moment.',
  mail: 'The sign-in service could not send the mail. It may have no mail server. Try again later, or contact support.',
  password: 'The password could not be set. Please try again in a moment.',
  factor: 'That did not work. Please try again in a moment.',
} as const;

const SIGNING_IN: Words = { tone: 'problem', text: 'The sign-in did not work. Please try again in a moment.' };
const OF_A_LINK: Words = { tone: 'problem', text: 'The link did not work. Request a new one.' };

/** Returns the message for a code. Codes from a URL are untrusted; unknown ones get the default message. */
export function inWords(code: string | undefined, otherwise = SIGNING_IN): Words {
  return (code !== undefined && Object.hasOwn(WORDS, code) ? WORDS[code] : undefined) ?? otherwise;
}

/**
 * Returns the message for a failed call of the identity provider. supabase-js has one class for a provider that cannot be reached and for
 * one that answers with an error of its own, such as 500 "Error sending confirmation email" or 504 when the mail server does not respond.
 */
export function ofFailure(error: { code?: string | undefined; status?: number | undefined }, what: keyof typeof FAILED): string {
  if (!isAuthRetryableFetchError(error)) return inWords(error.code, { tone: 'problem', text: FAILED[what] }).text;
  const isUnreachable = !error.status || error.status === 502 || error.status === 503 || error.status > 504;
  return isUnreachable ? OUT_OF_REACH : FAILED[what];
}

/** Whether an error concerns the code of an authenticator app, which can be entered again. */
export function isOfCode(code: string | undefined): boolean {
  return code === 'mfa_verification_failed' || code === 'mfa_challenge_expired';
}

/** Returns the message for a failed email link, which may be opened in a browser without the PKCE verifier. */
export function ofLinkInWords(code: string): Words {
  if (code.endsWith('code_verifier') || code === 'pkce_code_verifier_not_found') {
    return { tone: 'problem', text: 'Open the link in the browser where you requested it, or request a new one here.' };
  }
  return inWords(code, OF_A_LINK);
}
