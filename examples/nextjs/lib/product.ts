/** Name and texts of the product. Change them for your own. */
export const product = {
  name: 'Den',
  promise: 'Generate code with your own model and keys.',
  description: 'Generate code with the model you choose. Your API keys are encrypted and used only for your requests.',
} as const;
