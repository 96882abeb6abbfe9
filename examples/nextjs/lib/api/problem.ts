import { SignInUnreachable } from './session';

/** What went wrong, in words for the person in front of the screen. */
export interface Problem {
  title: string;
  text: string;
  /** For each field of a form, what is wrong with it. */
  fields: Record<string, string>;
  /** The API's own name for it; "" where the API was not reached. */
  code: string;
  /** What to tell those who run the API, where they can do something about it. */
  requestId: string | undefined;
}

interface Envelope {
  error?: { code?: unknown; message?: unknown; details?: unknown };
  request_id?: unknown;
}

/** An answer other than a good one, from the body that was read. */
export function problemOf(response: Response, body: unknown): Problem {
  const { error, request_id } = (body && typeof body === 'object' ? body : {}) as Envelope;
  const code = typeof error?.code === 'string' ? error.code : '';
  const message = typeof error?.message === 'string' ? error.message : '';
  const isOurs = response.status >= 500 || response.status === 403;
  const requestId = isOurs && typeof request_id === 'string' ? request_id : undefined;
  const fields = fieldsOf(error?.details);
  return { ...words(response, code, message, Object.keys(fields).length > 0), code, requestId, fields };
}

/** A request that had no answer. */
export function problemOfFailure(error: unknown): Problem {
  const nothing = { code: '', requestId: undefined, fields: {} };
  if (error instanceof SignInUnreachable) {
    return { ...nothing, title: 'The sign-in service is out of reach', text: 'You stay signed in. Try again in a moment.' };
  }
  const isOffline = typeof navigator !== 'undefined' && !navigator.onLine;
  return isOffline
    ? { ...nothing, title: 'You are offline', text: 'Nothing is lost. Try again when you are connected.' }
    : { ...nothing, title: 'We cannot reach the server', text: 'Check your connection, then try again.' };
}

function words(response: Response, code: string, message: string, hasFields: boolean): { title: string; text: string } {
  const when = wait(response);
  switch (code) {
    case 'ACCOUNT_DISABLED':
      return { title: 'This account is closed', text: 'Write to us if you think that is a mistake.' };
    case 'STEP_UP_REQUIRED':
      return { title: 'One more step', text: 'This needs a second factor. Sign in with it, then try again.' };
    case 'API_KEY_MISSING':
      return { title: 'A key is missing', text: 'Store your Together AI key first; it is used for your requests alone.' };
    case 'VAULT_UNAVAILABLE':
      return { title: 'Keys cannot be stored here yet', text: 'Those who run this product have to set that up first. Tell them the reference.' };
    case 'UPSTREAM_REJECTED_KEY':
      return { title: 'Together AI refused your key', text: 'It may have been revoked, or mistyped. Replace it in the settings.' };
    case 'UPSTREAM_TIMEOUT':
      return { title: 'The model took too long', text: 'Try again, or ask for something smaller.' };
    case 'UPSTREAM_FAILED':
      return { title: 'The model did not answer', text: `Together AI has a problem. Try again ${when}.` };
  }
  switch (response.status) {
    case 401:
      return { title: 'You are signed out', text: 'Sign in again to go on.' };
    case 403:
      return { title: 'You may not do this', text: 'Your account lacks the permission. Somebody who runs this product can grant it.' };
    case 404:
      return { title: 'It is not there', text: 'It may have been removed in the meantime.' };
    case 413:
      return { title: 'That is too much at once', text: 'Shorten it, then try again.' };
    case 422:
      return hasFields
        ? { title: 'Please check what you entered', text: 'What is marked needs a change.' }
        : { title: 'Please check what you entered', text: message || 'Something in it cannot be used.' };
    case 429:
      return { title: 'That was a lot at once', text: `Try again ${when}.` };
    case 503:
      return { title: 'We are out of service for a moment', text: `You stay signed in. Try again ${when}.` };
    default:
      return { title: 'Something went wrong on our side', text: 'It is written down. Please try again in a moment.' };
  }
}

/** `details` of a 422: `[{field, problem}]`. */
function fieldsOf(details: unknown): Record<string, string> {
  if (!Array.isArray(details)) return {};
  const said = details.filter((detail): detail is { field: string; problem: string } => {
    return typeof detail?.field === 'string' && typeof detail?.problem === 'string';
  });
  return Object.fromEntries(said.map(({ field, problem }) => [field, `This ${problem}.`]));
}

/** `Retry-After`, in seconds here, as people say it. */
function wait(response: Response): string {
  const seconds = Number(response.headers.get('retry-after'));
  if (!Number.isFinite(seconds) || seconds <= 0) return 'in a moment';
  if (seconds < 90) return `in ${seconds === 1 ? 'a second' : `${Math.ceil(seconds)} seconds`}`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}
