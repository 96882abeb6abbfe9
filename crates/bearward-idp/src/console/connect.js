// The Connect panel: addresses, and what to paste into an app or a server.
import { at, copy, make } from './dom.js';

const SNIPPETS = {
  'Next.js': [
    'For .env.local, with the names of @supabase/ssr and examples/nextjs',
    ({ base, api }) => `NEXT_PUBLIC_SUPABASE_URL=${base}
NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY=any-key
NEXT_PUBLIC_API_URL=${api ?? 'the URL of your API'}`,
  ],
  'supabase-js': [
    'npm install @supabase/supabase-js; the key is not checked',
    ({ base }) => `import { createClient } from '@supabase/supabase-js';

const supabase = createClient('${base}', 'any-key');
await supabase.auth.signInWithOAuth({ provider: 'google' });`,
  ],
  'bearward serve': [
    'For .env of the server; both ways trust the same issuer',
    ({ base, issuer, jwks_url, audience }) => `SUPABASE_URL=${base}

# or, key by key:
BEARWARD_ISSUERS__IDP__ISSUER=${issuer}
BEARWARD_ISSUERS__IDP__JWKS_URL=${jwks_url}
BEARWARD_ISSUERS__IDP__AUDIENCES=${audience}`,
  ],
  Rust: [
    'cargo add bearward actix-web',
    ({ base }) => `use bearward::{Bearward, Issuer, Principal};

let auth = Bearward::builder()
    .issuer(Issuer::supabase("${base}")?)
    .build()
    .await?;
HttpServer::new(move || App::new().app_data(auth.clone()).service(orders))

#[get("/orders")]
async fn orders(user: Principal) -> String {
    format!("orders of {}", user.subject())
}`,
  ],
  Python: [
    'pip install "pyjwt[crypto]"',
    ({ issuer, jwks_url, audience, algorithm }) => `import jwt

keys = jwt.PyJWKClient("${jwks_url}")

def verify(token: str) -> dict:
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["${algorithm}"],
        issuer="${issuer}",
        audience="${audience}",
        options={"require": ["exp", "sub"]},
    )`,
  ],
  Go: [
    'go get github.com/golang-jwt/jwt/v5 github.com/MicahParks/keyfunc/v3',
    ({ issuer, jwks_url, audience, algorithm }) => `keys, err := keyfunc.NewDefaultCtx(ctx, []string{"${jwks_url}"})
if err != nil {
	return err
}
token, err := jwt.Parse(text, keys.Keyfunc,
	jwt.WithValidMethods([]string{"${algorithm}"}),
	jwt.WithIssuer("${issuer}"),
	jwt.WithAudience("${audience}"),
	jwt.WithExpirationRequired())`,
  ],
  curl: [
    'A token for any user, and a request with it',
    ({ base, api }) => `export TOKEN=$(curl -sXPOST ${base}/admin/tokens | cut -d'"' -f4)
curl -i ${api ?? 'URL-OF-YOUR-API'}/protected -H "Authorization: Bearer $TOKEN"`,
  ],
};

export function showConnect(values) {
  const rows = [['Issuer', values.issuer], ['JWKS URL', values.jwks_url], ['Audience', values.audience], ['API', values.api], ['Google issuer', values.google.issuer], ['Google client', values.google.client_id]];
  at('addresses').replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value]) => [
    make('dt', {}, name),
    make('dd', {}, make('code', {}, value)),
    make('dd', {}, make('button', { type: 'button', class: 'small', 'aria-label': `Copy ${name}`, onclick: ({ currentTarget }) => copy(currentTarget, value, name) }, 'Copy')),
  ]));
  const tabs = Object.keys(SNIPPETS).map((name, index) => make('button', { type: 'button', role: 'tab', id: `tab-${index}`, 'aria-controls': 'snippet', onclick: () => select(index) }, name));
  const select = (index) => {
    tabs.forEach((tab, other) => {
      tab.setAttribute('aria-selected', String(other === index));
      tab.tabIndex = other === index ? 0 : -1;
    });
    const [note, text] = Object.values(SNIPPETS)[index];
    at('snippet').textContent = text(values);
    at('snippet').setAttribute('aria-labelledby', `tab-${index}`);
    at('snippet-note').textContent = note;
  };
  at('tabs').replaceChildren(...tabs);
  at('tabs').onkeydown = ({ key }) => {
    const current = tabs.indexOf(document.activeElement);
    const next = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: tabs.length - 1 }[key];
    if (next === undefined || current < 0) return;
    const index = (next + tabs.length) % tabs.length;
    select(index);
    tabs[index].focus();
  };
  select(0);
}

at('copy-snippet').addEventListener('click', ({ currentTarget }) => copy(currentTarget, at('snippet').textContent, 'snippet'));
