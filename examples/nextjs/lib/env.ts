/** Addresses and keys. `next build` inlines them into browser code, so none may be secret. */
export const env = {
  supabaseUrl: address('NEXT_PUBLIC_SUPABASE_URL', process.env.NEXT_PUBLIC_SUPABASE_URL),
  supabaseKey: present('NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY', process.env.NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY),
  apiUrl: address('NEXT_PUBLIC_API_URL', process.env.NEXT_PUBLIC_API_URL),
};

function present(name: string, value: string | undefined): string {
  if (!value) throw new Error(`${name} is not set. Set it in .env.local; see README.md.`);
  if (value.startsWith('sb_secret_')) throw new Error(`${name} contains a secret key, which must not be sent to browsers. Use the publishable key.`);
  return value;
}

/** Validates a URL and removes trailing slashes. */
function address(name: string, value: string | undefined): string {
  const text = present(name, value);
  if (!/^https?:\/\/[^/]/.test(text)) throw new Error(`${name} must be a URL such as https://example.com, but is "${text}".`);
  return text.replace(/\/+$/, '');
}
