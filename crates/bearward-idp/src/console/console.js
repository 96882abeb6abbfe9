// All values are untrusted: they are added as text nodes, never as markup.
const at = (id) => document.getElementById(id);
const POLL_MS = 2000;
const FAULTS = {
  none: {},
  outage: { status: 503 },
  slow: { delay_ms: 3000 },
  silent: { hang: true },
  bad: { body: 'not a key set' },
};
const STATES = { in_use: 'in use', previously_used: 'previously used', standby: 'standby, next to sign' };
const MARKS = { passed: ['✓', 'passed', 'good'], failed: ['✗', 'failed', 'bad'], not_reached: ['–', 'not reached', ''] };

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

function say(text, isBad = false) {
  at('said').textContent = text;
  at('said').className = isBad ? 'bad' : '';
}

async function ask(method, path, body) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`/admin${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const result = text ? JSON.parse(text) : undefined;
  if (!response.ok) throw new Error(result?.error?.message ?? `${method} ${path} failed with status ${response.status}`);
  return result;
}

/** Runs the action of a button and reports its result. */
async function act(action, done) {
  try {
    const result = await action();
    say(typeof done === 'function' ? done(result) : done);
    await refresh();
  } catch (error) {
    say(error.message, true);
  }
}

/** Redraws an element only if its data changed, and keeps the keyboard focus. */
const shown = new Map();
function show(id, data, draw) {
  const text = JSON.stringify(data);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const target = at(id);
  const focused = target.contains(document.activeElement) ? document.activeElement.dataset.name : undefined;
  target.replaceChildren(...draw());
  if (focused === undefined) return;
  const buttons = [...target.querySelectorAll('[data-name]')];
  (buttons.find((button) => button.dataset.name === focused) ?? buttons[0])?.focus();
}

// Users and sessions

let knownUsers = [];

function showUsers(users) {
  knownUsers = users;
  at('people-part').hidden = users.length === 0;
  const button = (user) => {
    const name = user.user_metadata?.full_name || user.user_metadata?.name || user.email || 'anonymous';
    const banned = user.banned ? ' (banned)' : '';
    return make('button', { type: 'button', 'data-name': user.id, onclick: () => act(() => signIn(claimsOf(user)), `Issued a token for ${name}.`) },
      name, make('small', {}, `${user.email || user.id}${banned}`));
  };
  const data = users.map(({ id, email, user_metadata, app_metadata, banned, is_anonymous }) => ({ id, email, user_metadata, app_metadata, banned, is_anonymous }));
  show('people', data, () => users.map((user) => make('li', {}, button(user))));
  show('known', users.map(({ email }) => email), () => users.filter(({ email }) => email).map(({ email }) => make('option', { value: email })));
}

function claimsOf({ id, email, app_metadata, user_metadata, is_anonymous }) {
  return { sub: id, email, app_metadata, user_metadata, is_anonymous: Boolean(is_anonymous) };
}

async function signIn(claims, { lifetime = 3600, forge } = {}) {
  const request = { claims, expires_in: lifetime, ...(forge && { forge }) };
  const { access_token } = await ask('POST', '/tokens', request);
  at('token').value = access_token;
  await explain();
  // In a small window the token is below the form.
  if (at('token-title').getBoundingClientRect().top > window.innerHeight) at('token-title').scrollIntoView();
}

at('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const email = form.get('email').trim();
  const roles = form.get('roles').split(',').map((role) => role.trim()).filter(Boolean);
  const known = knownUsers.find((user) => user.email === email.toLowerCase());
  const claims = known ? claimsOf(known) : { sub: email, email, user_metadata: { email } };
  if (roles.length) claims.app_metadata = { ...claims.app_metadata, roles };
  act(() => signIn(claims, { lifetime: Number(form.get('lifetime')), forge: form.get('forge') }), `Issued a token for ${email}.`);
});

function showSessions(sessions) {
  show('sessions', sessions, () => {
    if (sessions.length === 0) return [make('p', { class: 'quiet' }, 'No sessions. Users who sign in through an app appear here.')];
    const item = ({ email, user_id, method, created_at }) =>
      make('li', {}, email || 'anonymous', make('small', {}, `by ${method}, ${when(created_at)}`), make('small', {}, user_id));
    return [make('ul', { class: 'sessions', 'aria-labelledby': 'sessions-title' }, ...sessions.map(item))];
  });
}

function showBackChannel({ enabled, urls, deliveries }) {
  at('back-channel').checked = enabled;
  const [last] = deliveries;
  const outcome = last && (last.status ? `status ${last.status}` : last.problem);
  at('back-channel-note').textContent = urls.length === 0
    ? 'No URL is configured; bearward dev configures its own API.'
    : `To ${urls.join(', ')}. ${last ? `Last: ${when(last.at)}, ${outcome}.` : 'None sent yet.'}`;
}

at('back-channel').addEventListener('change', ({ target }) => {
  act(() => ask('PUT', '/backchannel-logout', { enabled: target.checked }), target.checked ? 'Logout tokens are sent.' : 'Logout tokens are not sent.');
});

const when = (time) => new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

// Token

/** Removes quotes, the header name and the scheme, which are often pasted with the token. */
function extractToken(text) {
  return text.trim().replace(/^["']+/, '').replace(/^authorization:\s*/i, '').replace(/^bearer\s+/i, '').replace(/["']+$/, '').trim();
}

function decode(part) {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
    const text = new TextDecoder().decode(bytes);
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  } catch {
    return 'not decodable';
  }
}

async function explain() {
  const token = extractToken(at('token').value);
  at('parts').hidden = token === '';
  at('verdict').replaceChildren();
  if (token === '') return;
  const [header = '', claims = ''] = token.split('.');
  at('header').textContent = decode(header);
  at('claims').textContent = decode(claims);
  if (api === null) {
    const how = ['No API runs in this process, so the token is decoded but not verified. ', make('code', {}, 'bearward dev'), ' starts both. ', make('code', {}, 'bearward explain -'), ' verifies a token with any configuration.'];
    at('verdict').replaceChildren(make('p', { class: 'advice' }, ...how));
    return;
  }
  const report = await ask('POST', '/explain', { token });
  at('verdict').replaceChildren(...verdict(report));
}

// What the claim mapping of the issuer finds.
function mappedClaims(claims) {
  const row = ({ name, from, found, problem }) => make('tr', {},
    make('th', { scope: 'row' }, name),
    make('td', {}, found.join(', ') || 'none'),
    make('td', { class: 'expected' }, problem ?? `from ${from.join(', ')}`));
  return make('table', { class: 'checks', 'aria-label': 'Mapped claims' }, make('tbody', {}, ...claims.map(row)));
}

function verdict({ accepted, code, message, advice, checks, claims = [] }) {
  const row = ({ check, outcome, found, expected }) => {
    const [mark, name, colour] = MARKS[outcome] ?? ['?', outcome, ''];
    return make('tr', { class: outcome },
      make('td', { class: `mark ${colour}` }, make('span', { role: 'img', 'aria-label': name }, mark)),
      make('th', { scope: 'row' }, check),
      make('td', {}, found),
      make('td', { class: 'expected' }, expected));
  };
  const head = make('thead', {}, make('tr', {}, make('td', {}), ...['check', 'found', 'expected'].map((text) => make('th', { scope: 'col' }, text))));
  return [
    make('p', { class: `verdict ${accepted ? 'good' : 'bad'}` }, accepted ? 'The API accepts it' : `The API rejects it: ${code}`),
    accepted ? undefined : make('p', { class: 'advice' }, message),
    advice ? make('p', { class: 'advice' }, make('strong', {}, 'Next: '), advice) : undefined,
    make('table', { class: 'checks', 'aria-label': 'Verification steps' }, head, make('tbody', {}, ...checks.map(row))),
    claims.length > 0 ? mappedClaims(claims) : undefined,
  ].filter(Boolean);
}

at('explain').addEventListener('submit', (event) => {
  event.preventDefault();
  act(explain, at('token').value.trim() ? 'Explained.' : 'There is no token to explain.');
});

async function copy(text, what) {
  if (!text) return say('There is no token to copy.', true);
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} was copied.`);
  } catch {
    at('token').select();
    say('The browser does not allow copying. The token is selected; press Ctrl-C.', true);
  }
}

at('copy').addEventListener('click', () => copy(extractToken(at('token').value), 'The token'));
at('copy-curl').addEventListener('click', () => {
  // The token is quoted in the command and must not end the quotes.
  const token = extractToken(at('token').value).replace(/[^\w.~+/=-]/g, '');
  copy(token && `curl -i ${api.address}/protected -H "Authorization: Bearer ${token}"`, 'The command');
});

// Keys

function showKeys(keys) {
  show('keys', keys, () => keys.map(({ kid, algorithm, state }) =>
    make('li', {},
      make('div', {}, make('code', {}, kid), make('small', {}, `${algorithm}, ${STATES[state] ?? state}`)),
      make('button', {
        type: 'button', class: 'small', 'data-name': kid, 'aria-label': `Revoke ${kid}`,
        onclick: () => act(() => ask('POST', `/keys/${encodeURIComponent(kid)}/revoke`), `Revoked ${kid}. Its tokens are rejected once the API has refreshed its keys.`),
      }, 'Revoke'))));
}

at('turn').addEventListener('submit', (event) => {
  event.preventDefault();
  const action = event.submitter?.value === 'standby' ? 'standby' : 'rotate';
  const algorithm = at('algorithm').value;
  const done = action === 'rotate' ? 'A new key signs; the old one stays published.' : 'Published a standby key for the next rotation.';
  act(() => ask('POST', `/keys/${action}`, algorithm ? { algorithm } : {}), done);
});

// Faults

function showFaults(faults) {
  const set = Object.entries(faults).filter(([, value]) => value !== null && value !== false);
  const isSet = (fault) => JSON.stringify(Object.entries(fault)) === JSON.stringify(set);
  const name = Object.keys(FAULTS).find((fault) => isSet(FAULTS[fault]));
  for (const input of at('faults').querySelectorAll('input')) input.checked = input.value === name;
  at('fault-note').textContent = name === undefined
    ? `Set through the admin API: ${set.map(([key, value]) => `${key} ${String(value).slice(0, 40)}`).join(', ')}`
    : name === 'none' ? '' : 'An API with cached keys is not affected. To trigger a fetch, rotate the key and explain a new token.';
}

at('faults').addEventListener('change', ({ target }) => {
  const fault = FAULTS[target.value];
  if (fault) act(() => (target.value === 'none' ? ask('DELETE', '/faults') : ask('PUT', '/faults', fault)), `JWKS endpoint: ${target.parentElement.textContent.trim()}.`);
});

// The API

let api;

function showApi(found) {
  api = found;
  at('docs').hidden = at('copy-curl').hidden = found === null;
  if (found === null) {
    show('api', null, () => [
      make('p', {}, 'No API runs in this process. ', make('code', {}, 'bearward dev'), ' starts one with this IdP and shows its key cache here.'),
      make('p', { class: 'quiet' }, 'Other APIs report the same at ', make('code', {}, '/health'), ' and with ', make('code', {}, 'bearward check'), '.'),
    ]);
    return;
  }
  at('docs').href = `${found.address}/docs`;
  show('api', found, () => found.issuers.map((set) => {
    const colour = set.state === 'fresh' || set.state === 'fixed' ? 'good' : set.serves ? 'warn' : 'bad';
    const facts = [
      ['Keys', set.kids.map((kid) => kid ?? '(no kid)').join(', ') || 'none'],
      ['Ignored', set.skipped || undefined],
      ['Age', set.age_seconds === null ? undefined : seconds(set.age_seconds)],
      ['Next fetch', set.next_attempt_in_seconds === null ? undefined : `in ${seconds(set.next_attempt_in_seconds)}`],
      ['Fetches', String(set.attempts)],
      ['Last error', set.last_error ?? undefined],
    ].filter(([, value]) => value !== undefined);
    return make('div', { class: 'issuer' },
      make('h3', {}, set.name, make('span', { class: colour }, set.state)),
      make('dl', {}, ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', { class: name === 'Last error' ? 'bad' : undefined }, String(value))])));
  }));
}

const seconds = (count) => (count < 120 ? `${count} s` : `${Math.floor(count / 60)} min`);

// Polling, while the page is visible

async function refresh() {
  const [{ api: found }, { keys }, { users }, { sessions }, faults, backChannel] = await Promise.all(
    ['/api', '/keys', '/users', '/sessions', '/faults', '/backchannel-logout'].map((path) => ask('GET', path)),
  );
  showApi(found);
  showKeys(keys);
  showUsers(users);
  showSessions(sessions);
  showFaults(faults);
  showBackChannel(backChannel);
}

let isOffline = false;
async function watch() {
  if (!document.hidden) {
    try {
      await refresh();
      if (isOffline) say('The IdP is reachable again.');
      isOffline = false;
    } catch (error) {
      isOffline = true;
      say(error instanceof TypeError ? 'The IdP is unreachable. Is it still running?' : error.message, true);
    }
  }
  setTimeout(watch, POLL_MS);
}

at('programs').addEventListener('toggle', async ({ currentTarget }) => {
  const target = currentTarget.querySelector('pre');
  if (!target.textContent) target.textContent = await fetch('/', { headers: { accept: 'text/plain' } }).then((response) => response.text(), () => 'The IdP is unreachable.');
});

watch();
