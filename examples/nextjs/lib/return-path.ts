/** Where somebody goes who has signed in. */
export const HOME = '/dashboard';
/** Where the link of a mail leads whose reader forgot the password. */
export const NEW_PASSWORD = '/new-password';

/**
 * A path of this app from an address bar that anybody may have written, or home.
 *
 * It is parsed as a browser would: `//host`, `/\host`, tabs within, and `/.//host` all lead elsewhere, and none begins like another host.
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
  // Once more: what is written out must be read as the same place.
  const again = path.startsWith('//') ? null : new URL(path, here);
  if (url.origin !== here || again?.origin !== here) return HOME;
  // A page for signing in would send them round in a circle.
  return /^\/(sign-in|sign-up|forgot-password|auth|unavailable)(\/|$)/.test(url.pathname) ? HOME : path;
}
