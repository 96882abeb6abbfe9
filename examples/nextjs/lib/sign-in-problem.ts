interface Words {
  tone: 'problem' | 'plain';
  text: string;
}

const again = 'Please start again.';

/** No answer at all. */
export const OUT_OF_REACH = 'We cannot reach the sign-in service. Check your connection, then try again.';

/** The shortest password that Supabase takes unless a project asks for more. */
export const SHORTEST_PASSWORD = 6;

/** What a person is told, by the code of the identity provider or of this app. */
const WORDS: Record<string, Words> = {
  access_denied: { tone: 'plain', text: 'You cancelled the sign-in, and nothing was shared with us. Try again, or use another way.' },
  anonymous_provider_disabled: { tone: 'problem', text: 'Enter an email address and a password.' },
  bad_code_verifier: { tone: 'problem', text: `This sign-in began in another browser. ${again}` },
  bad_oauth_state: { tone: 'problem', text: `That sign-in took too long. ${again}` },
  email_address_invalid: { tone: 'problem', text: 'That is not an email address we can write to.' },
  email_exists: { tone: 'problem', text: 'There is an account with this address already. Sign in instead.' },
  email_not_confirmed: { tone: 'problem', text: 'Confirm your address first: the link is in the mail we sent you.' },
  ended: { tone: 'plain', text: 'Your session has ended. Sign in to go on where you were.' },
  erased: { tone: 'plain', text: 'Everything we kept about you is erased, and you are signed out.' },
  everywhere: { tone: 'plain', text: 'You are signed out, here and on all your devices.' },
  exchange_failed: { tone: 'problem', text: `The sign-in could not be completed. ${again}` },
  flow_state_expired: { tone: 'problem', text: `That sign-in took too long. ${again}` },
  flow_state_not_found: { tone: 'problem', text: `That sign-in was used already, or took too long. ${again}` },
  here: { tone: 'plain', text: 'You are signed out here. The sign-in service is out of reach, so other devices may still be signed in.' },
  invalid_credentials: { tone: 'problem', text: 'The email address or the password is wrong.' },
  over_request_rate_limit: { tone: 'problem', text: 'Too many attempts. Wait a minute, then try again.' },
  pkce_code_verifier_not_found: { tone: 'problem', text: `This sign-in began in another browser. ${again}` },
  otp_expired: { tone: 'problem', text: 'That link was used already, or is too old. Ask for a new one.' },
  over_email_send_rate_limit: { tone: 'problem', text: 'Too many mails were asked for. Wait a while, then try again.' },
  provider_disabled: { tone: 'problem', text: 'This way of signing in is not available.' },
  reauthentication_needed: { tone: 'problem', text: 'Sign in again first, then set your new password.' },
  refused: { tone: 'problem', text: 'Our server did not accept your sign-in, even after renewing it. Sign in again; if that does not help, tell us.' },
  same_password: { tone: 'problem', text: 'That is the password you have already. Choose another one.' },
  session_not_found: { tone: 'problem', text: 'Your session has ended. Sign in again.' },
  signup_disabled: { tone: 'problem', text: 'New accounts are not open at the moment.' },
  user_already_exists: { tone: 'problem', text: 'There is an account with this address already. Sign in instead.' },
  user_banned: { tone: 'problem', text: 'This account is closed. Write to us if that is a mistake.' },
  validation_failed: { tone: 'problem', text: 'Enter an email address and a password.' },
  weak_password: { tone: 'problem', text: 'That password is too easy to guess. Use a longer one.' },
};

const SIGNING_IN: Words = { tone: 'problem', text: 'The sign-in did not work. Please try again in a moment.' };
const OF_A_LINK: Words = { tone: 'problem', text: 'The link did not work. Ask for a new one.' };

/** A code that came in an address may be anything: an unknown one has one sentence for all. */
export function inWords(code: string | undefined, otherwise = SIGNING_IN): Words {
  return (code !== undefined && Object.hasOwn(WORDS, code) ? WORDS[code] : undefined) ?? otherwise;
}

/** The same of a link in a mail. The verifier is in the browser that asked for it, and mails are read anywhere. */
export function ofLinkInWords(code: string): Words {
  if (code.endsWith('code_verifier') || code === 'pkce_code_verifier_not_found') {
    return { tone: 'problem', text: 'Open the link in the browser in which you asked for it, or ask for a new one here.' };
  }
  return inWords(code, OF_A_LINK);
}
