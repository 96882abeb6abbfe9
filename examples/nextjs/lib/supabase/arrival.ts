let isHere = false;

/** Says whether this page signs the user in and continues by itself, so that `Arriving` must not navigate too. */
export function signInHere(is: boolean): void {
  isHere = is;
}

export function isSignInHere(): boolean {
  return isHere;
}
