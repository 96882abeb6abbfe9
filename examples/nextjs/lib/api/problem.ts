import { SignInUnreachable } from './session';

/** A problem, described for the user. */
export interface Problem {
  title: string;
  text: string;
  /** Problems by form field. */
  fields: Record<string, string>;
  /** The error code of the API; "" if the API was not reached. */
  code: string;
  /** The request id to report, for errors that operators can investigate. */
  requestId: string | undefined;
}

interface Envelope {
  error?: { code?: unknown; message?: unknown; details?: unknown };
  request_id?: unknown;
}

/** Describes an error response. */
export function problemOf(response: Response, body: unknown): Problem {
  const { error, request_id } = (body && typeof body === 'object' ? body : {}) as Envelope;
  const code = typeof error?.code === 'string' ? error.code : '';
  const message = typeof error?.message === 'string' ? error.message : '';
  const isOurs = response.status >= 500 || response.status === 403;
  const requestId = isOurs && typeof request_id === 'string' ? request_id : undefined;
  const fields = fieldsOf(error?.details);
  return { ...words(response, code, message, Object.keys(fields).length > 0), code, requestId, fields };
}

/** Describes a request without a response. */
export function problemOfFailure(error: unknown): Problem {
  const nothing = { code: '', requestId: undefined, fields: {} };
  if (error instanceof SignInUnreachable) {
    return { ...nothing, title: 'The sign-in service is unavailable', text: 'You stay signed in. Try again in a moment.' };
  }
  const isOffline = typeof navigator !== 'undefined' && !navigator.onLine;
  return isOffline
    ? { ...nothing, title: 'You are offline', text: 'Try again when you are connected.' }
    : { ...nothing, title: 'We cannot reach the server', text: 'Check your connection, then try again.' };
}

function words(response: Response, code: string, message: string, hasFields: boolean): { title: string; text: string } {
  const when = wait(response);
  switch (code) {
    case 'ACCOUNT_DISABLED':
      return { title: 'This account is disabled', text: 'Contact support if this is a mistake.' };
    case 'STEP_UP_REQUIRED':
      return { title: 'One more step', text: 'This needs a second factor. Sign in with it, then try again.' };
    case 'API_KEY_MISSING':
      return { title: 'A key is missing', text: 'Store your Together AI key first; it is used only for your requests.' };
    case 'VAULT_UNAVAILABLE':
      return { title: 'API keys cannot be stored yet', text: 'An administrator has to configure key storage first. Include the reference in your report.' };
    case 'UPSTREAM_REJECTED_KEY':
      return { title: 'Together AI rejected your key', text: 'It may have been revoked, or mistyped. Replace it in the settings.' };
    case 'UPSTREAM_TIMEOUT':
      return { title: 'The model took too long', text: 'Try again, or ask for something smaller.' };
    case 'UPSTREAM_FAILED':
      return { title: 'The model did not answer', text: `Together AI has a problem. Try again ${when}.` };
  }
  switch (response.status) {
    case 401:
      return { title: 'You are signed out', text: 'Sign in again to continue.' };
    case 403:
      return { title: 'Permission denied', text: 'Your account does not have the required permission. An administrator can grant it.' };
    case 404:
      return { title: 'Not found', text: 'It may have been removed in the meantime.' };
    case 413:
      return { title: 'The input is too long', text: 'Shorten it, then try again.' };
    case 422:
      return hasFields
        ? { title: 'Please check what you entered', text: 'Correct the marked fields.' }
        : { title: 'Please check what you entered', text: message || 'Some of the input is invalid.' };
    case 429:
      return { title: 'Too many requests', text: `Try again ${when}.` };
    case 503:
      return { title: 'The service is temporarily unavailable', text: `You stay signed in. Try again ${when}.` };
    default:
      return { title: 'Something went wrong on our side', text: 'The error was logged. Please try again in a moment.' };
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

/** Describes `Retry-After`, which the API sends in seconds. */
function wait(response: Response): string {
  const seconds = Number(response.headers.get('retry-after'));
  if (!Number.isFinite(seconds) || seconds <= 0) return 'in a moment';
  if (seconds < 90) return `in ${seconds === 1 ? 'a second' : `${Math.ceil(seconds)} seconds`}`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}
