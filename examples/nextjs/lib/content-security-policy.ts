import { env } from './env';

/** Builds the content security policy: own scripts by nonce, and connections to the identity provider and the API. */
export function contentSecurityPolicy(nonce: string): string {
  const inDevelopment = process.env.NODE_ENV === 'development';
  const idp = new URL(env.supabaseUrl).origin;
  const api = new URL(env.apiUrl).origin;
  return [
    "default-src 'none'",
    // React's error overlay evaluates source maps.
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${inDevelopment ? " 'unsafe-eval'" : ''}`,
    `style-src 'self' ${inDevelopment ? "'unsafe-inline'" : `'nonce-${nonce}'`}`,
    // Profile pictures are hosted by the providers.
    `img-src 'self' data: https: ${idp}`,
    "font-src 'self'",
    `connect-src 'self' ${idp} ${api}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "manifest-src 'self'",
  ].join('; ');
}
