import { env } from '@/lib/env';

const TIMEOUT = 5_000;

/**
 * Revokes the access tokens of the session (`local`) or of the user (`global`) in the API. Returns whether they are revoked.
 *
 * Not a call of `api`, which would renew the token and leave the page when the token is revoked already.
 */
export async function revokeTokens(token: string, scope: 'local' | 'global'): Promise<boolean> {
  try {
    const { status } = await fetch(`${env.apiUrl}/api/auth/sign-out`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ scope }),
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    // 401: the provider has reported the sign-out to the API (back-channel logout). 404: the API has no revocation list.
    return status === 204 || status === 401;
  } catch {
    return false;
  }
}
