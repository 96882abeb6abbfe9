/** The default page after signing in. */
export const HOME = '/dashboard';
/** The target of a password reset link. */
export const NEW_PASSWORD = '/new-password';

/** Where users with an authenticator app enter its code. */
export const SECOND_STEP = '/second-step';

/**
 * Returns the untrusted value if it is a path of this app, else the default page.
 *
 * The value is parsed as a browser would parse it: `//host`, `/\host`, embedded tabs and `/.//host` all lead to another host.
 */
export function returnPath(asked: string | string[] | null | undefined): string {
  if (typeof asked !== 'string' || !asked.startsWith('/')) return HOME;
  const here = 'http://here.invalid';
  let url: URL;
  try {
    url = new URL(asked, here);
  } catch {
    return HOME;
  }
  const path = url.pathname + url.search;
  // The serialized path must parse to the same origin.
  const again = path.startsWith('//') ? null : new URL(path, here);
  if (url.origin !== here || again?.origin !== here) return HOME;
  // The sign-in pages would redirect in a loop.
  return /^\/(sign-in|sign-up|second-step|forgot-password|auth|unavailable)(\/|$)/.test(url.pathname) ? HOME : path;
}

/** Returns the address of the second step of a sign-in. */
export function secondStep(next: string): string {
  return `${SECOND_STEP}?${new URLSearchParams({ next }).toString()}`;
}
