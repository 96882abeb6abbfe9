import 'server-only';

import { type SignInMethods, fetchSignInMethods } from './settings';

/** How long the answer of the identity provider is used. A failure is not kept: the next page asks again. */
const FRESH = 30_000;

let kept: { methods: SignInMethods; at: number } | undefined;
let asking: Promise<SignInMethods | undefined> | undefined;

/** Returns what the identity provider offers, for the pages of the server. `undefined` if it cannot be reached. */
export async function signInMethods(): Promise<SignInMethods | undefined> {
  if (kept && Date.now() - kept.at < FRESH) return kept.methods;
  const methods = await (asking ??= fetchSignInMethods().finally(() => (asking = undefined)));
  kept = methods && { methods, at: Date.now() };
  return methods;
}
