/** Where things are. `next build` copies these values into the browser's code, so none of them is a secret. */
export const env = {
  supabaseUrl: address('NEXT_PUBLIC_SUPABASE_URL', process.env.NEXT_PUBLIC_SUPABASE_URL),
  supabaseKey: present('NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY', process.env.NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY),
  apiUrl: address('NEXT_PUBLIC_API_URL', process.env.NEXT_PUBLIC_API_URL),
};

function present(name: string, value: string | undefined): string {
  if (!value) throw new Error(`${name} is not set. Write it into .env.local; README.md says what it is.`);
  if (value.startsWith('sb_secret_')) throw new Error(`${name} holds a secret key, which must never reach a browser. Use the publishable key.`);
  return value;
}

/** Without a slash at its end. */
function address(name: string, value: string | undefined): string {
  const text = present(name, value);
  if (!/^https?:\/\/[^/]/.test(text)) throw new Error(`${name} must be an address such as https://example.com, and is "${text}".`);
  return text.replace(/\/+$/, '');
}
