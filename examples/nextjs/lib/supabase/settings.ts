import { env } from '@/lib/env';

/** What the identity provider offers, as its public `/settings` say. */
export interface SignInMethods {
  /** The enabled OAuth providers that this app knows, in the order of `PROVIDERS`. */
  providers: ProviderId[];
  /** Whether users can sign in with an email address and a password. */
  email: boolean;
  /** Whether new users can sign up. */
  signUp: boolean;
  /**
   * Whether the provider confirms addresses by mail. If not, it may have no mail server, and accepts requests for mails all the same:
   * Supabase Auth without `GOTRUE_SMTP_HOST` does.
   */
  confirmsByMail: boolean;
}

/** The OAuth providers of Supabase Auth, with the names that users know. */
export const PROVIDERS = {
  google: 'Google',
  github: 'GitHub',
  apple: 'Apple',
  azure: 'Microsoft',
  bitbucket: 'Bitbucket',
  discord: 'Discord',
  facebook: 'Facebook',
  figma: 'Figma',
  gitlab: 'GitLab',
  kakao: 'Kakao',
  keycloak: 'Keycloak',
  linkedin_oidc: 'LinkedIn',
  notion: 'Notion',
  slack_oidc: 'Slack',
  spotify: 'Spotify',
  twitch: 'Twitch',
  workos: 'WorkOS',
  zoom: 'Zoom',
} as const;

export type ProviderId = keyof typeof PROVIDERS;

const TIMEOUT = 3_000;

/** Asks the identity provider what it offers. `undefined` if it cannot be reached. */
export async function fetchSignInMethods(): Promise<SignInMethods | undefined> {
  try {
    const response = await fetch(`${env.supabaseUrl}/auth/v1/settings`, {
      headers: { apikey: env.supabaseKey },
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    return response.ok ? parse(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

function parse(settings: unknown): SignInMethods | undefined {
  if (!isObject(settings) || !isObject(settings['external'])) return undefined;
  const { external } = settings;
  return {
    providers: (Object.keys(PROVIDERS) as ProviderId[]).filter((id) => external[id] === true),
    email: external['email'] === true,
    signUp: settings['disable_signup'] !== true,
    confirmsByMail: settings['mailer_autoconfirm'] === false,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
