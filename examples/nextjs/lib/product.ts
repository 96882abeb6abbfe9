/** The name and the promise: rename them, and the app is yours. */
export const product = {
  name: 'Den',
  promise: 'Your keys, your code, nobody else’s business.',
  description: 'Write code with the model you pay for. Your keys stay sealed, and yours alone.',
} as const;
