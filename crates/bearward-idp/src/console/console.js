// The console: users, keys, failures, and what happens at the API. All values are untrusted.
import { showConnect } from './connect.js';
import { ask, at, confirm, make, say, show } from './dom.js';
import { explain, issue, setApi } from './token.js';

const POLL_MS = 2000;
const MAX_REQUESTS = 50;
const FAULTS = {
  none: {},
  outage: { status: 503 },
  slow: { delay_ms: 3000 },
  silent: { hang: true },
  bad: { body: 'not a key set' },
};
const STATES = { in_use: 'in use', previously_used: 'previously used', standby: 'standby, next to sign' };

/** Runs the action of a control and reports its result next to it. */
async function act(control, action, done) {
  try {
    const result = await action();
    say(control, typeof done === 'function' ? done(result) : done);
    await refresh();
  } catch (error) {
    say(control, error.message, true);
  }
}

const when = (time) => new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const clockTime = (time) => new Date(time).toLocaleTimeString();

// Users and their sessions

let knownUsers = [];
const opened = new Set();

const nameOf = ({ email, user_metadata }) => user_metadata?.full_name || user_metadata?.name || email || 'anonymous';
const listOf = (text) => text.split(',').map((part) => part.trim()).filter(Boolean);

function claimsOf({ id, email, app_metadata, user_metadata, is_anonymous }) {
  return { sub: id, email, app_metadata, user_metadata, is_anonymous: Boolean(is_anonymous) };
}

function userItem(user, sessions) {
  const name = nameOf(user);
  const path = `/users/${user.id}`;
  const state = user.banned ? ' (banned)' : '';
  const roles = [user.app_metadata?.roles ?? []].flat();
  const input = make('input', { id: `roles-${user.id}`, 'data-name': `roles-${user.id}`, value: roles.join(', '), maxlength: '200', autocomplete: 'off', spellcheck: 'false', placeholder: 'admin, editor' });
  const saveRoles = (event) => {
    event.preventDefault();
    const chosen = listOf(input.value);
    // The field is redrawn with what was stored.
    input.defaultValue = input.value;
    act(event.target, () => ask('PATCH', path, { app_metadata: { roles: chosen.length ? chosen : null } }), `Saved the roles of ${name}; new tokens have them.`);
  };
  const remove = async ({ currentTarget }) => {
    if (!(await confirm(`Delete ${name}?`, 'The user, the sessions and the mails are removed. Issued access tokens stay valid until they expire, unless the API receives logout tokens.', 'Delete'))) return;
    act(currentTarget.closest('section'), () => ask('DELETE', path), `Deleted ${name}.`);
  };
  const session = ({ id, method, aal, created_at, client_id }) => make('li', {},
    make('div', {}, `by ${method}`, make('small', {}, `${aal}, ${when(created_at)}${client_id ? `, client ${client_id}` : ''}`)),
    make('button', { type: 'button', class: 'small', 'data-name': id, 'aria-label': `Revoke the session by ${method} of ${name}`, onclick: ({ currentTarget }) => act(currentTarget.closest('section'), () => ask('DELETE', `/sessions/${id}`), `Revoked a session of ${name}.`) }, 'Revoke'));
  const manage = make('details', { open: opened.has(user.id) },
    make('summary', { 'data-name': `manage-${user.id}` }, 'Manage', make('span', { class: 'unseen' }, ` ${name}`), `${roles.length ? `; roles ${roles.join(', ')}` : ''}${sessions.length ? `; ${sessions.length} signed in` : ''}`),
    make('div', { class: 'manage' },
      make('form', { onsubmit: saveRoles },
        make('div', { class: 'field' }, make('label', { for: input.id }, 'Roles'), input),
        make('div', { class: 'row' },
          make('button', { class: 'small', 'data-name': `save-${user.id}` }, 'Save roles'),
          make('button', { type: 'button', class: 'small', 'data-name': `ban-${user.id}`, onclick: ({ currentTarget }) => act(currentTarget.closest('section'), () => ask('PATCH', path, { banned: !user.banned }), user.banned ? `${name} can sign in again.` : `Banned ${name}.`) }, user.banned ? 'Lift the ban' : 'Ban'),
          make('button', { type: 'button', class: 'small danger', 'data-name': `delete-${user.id}`, onclick: remove }, 'Delete'))),
      sessions.length ? [make('h3', {}, 'Sessions'), make('ul', { class: 'sessions', 'aria-label': `Sessions of ${name}` }, sessions.map(session))] : make('p', { class: 'quiet' }, 'No sessions.')));
  manage.addEventListener('toggle', () => (manage.open ? opened.add(user.id) : opened.delete(user.id)));
  const signIn = make('button', { type: 'button', class: 'person', 'data-name': user.id, onclick: ({ currentTarget }) => act(currentTarget.closest('section'), () => issue({ claims: claimsOf(user) }), `Issued a token for ${name}.`) },
    name, make('small', {}, `${user.email || user.id}${state}`));
  return make('li', {}, signIn, manage);
}

function showUsers(users, sessions) {
  knownUsers = users;
  const of = (user) => sessions.filter(({ user_id }) => user_id === user.id);
  at('people-count').textContent = users.length ? `${users.length}; ${sessions.length} signed in` : 'none yet; sign up in an app';
  const data = users.map(({ id, email, user_metadata, app_metadata, banned, is_anonymous }) => ({ id, email, user_metadata, app_metadata, banned, is_anonymous }));
  show('people', [data, sessions], () => users.map((user) => userItem(user, of(user))));
  show('known', users.map(({ email }) => email), () => users.filter(({ email }) => email).map(({ email }) => make('option', { value: email })));
}

at('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const email = form.get('email').trim();
  const roles = listOf(form.get('roles'));
  const known = knownUsers.find((user) => user.email === email.toLowerCase());
  const claims = known ? claimsOf(known) : { sub: email, email, user_metadata: { email } };
  if (roles.length) claims.app_metadata = { ...claims.app_metadata, roles };
  const forge = form.get('forge');
  const request = { claims, expires_in: Number(form.get('lifetime')), ...(forge && { forge }) };
  act(event.submitter ?? event.target, () => issue(request), `Issued a token for ${email}.`);
});

// Clock

function showClock({ ahead_seconds, now }) {
  const ahead = ahead_seconds === 0 ? 'the time of this machine' : `${duration(ahead_seconds)} ahead`;
  at('clock').replaceChildren(make('strong', {}, when(now)), `, ${ahead}`);
  at('clock').dataset.ahead = ahead_seconds;
}

function duration(seconds) {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']].map(([size, unit], index, all) => [Math.floor((index ? seconds % all[index - 1][0] : seconds) / size), unit]);
  return parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(' ');
}

at('clock-steps').addEventListener('click', ({ target }) => {
  const { step } = target.dataset;
  if (!step) return;
  const ahead_seconds = step === 'reset' ? 0 : Number(at('clock').dataset.ahead) + Number(step);
  act(at('clock-steps'), () => ask('PUT', '/clock', { ahead_seconds }), step === 'reset' ? 'The clock shows the time of this machine.' : 'Moved the clock.');
});

// Keys

async function revoke(control, { kid, state }) {
  const last = state === 'in_use' ? ' A new key signs from now on.' : '';
  if (!(await confirm(`Revoke ${kid}?`, `Tokens that it signed are rejected once the API has refreshed its keys; users must sign in again. This cannot be undone.${last}`, 'Revoke'))) return;
  act(control, () => ask('POST', `/keys/${encodeURIComponent(kid)}/revoke`), `Revoked ${kid}. Its tokens are rejected once the API has refreshed its keys.`);
}

function showKeys(keys) {
  show('keys', keys, () => keys.map((key) =>
    make('li', {},
      make('div', {}, make('code', {}, key.kid), make('small', {}, `${key.algorithm}, ${STATES[key.state] ?? key.state}`)),
      make('button', { type: 'button', class: 'small', 'data-name': key.kid, 'aria-label': `Revoke ${key.kid}`, onclick: () => revoke(at('turn').parentElement, key) }, 'Revoke'))));
}

at('turn').addEventListener('submit', (event) => {
  event.preventDefault();
  const action = event.submitter?.value === 'standby' ? 'standby' : 'rotate';
  const algorithm = at('algorithm').value;
  const done = action === 'rotate' ? 'A new key signs; the old one stays published.' : 'Published a standby key for the next rotation.';
  act(event.target, () => ask('POST', `/keys/${action}`, algorithm ? { algorithm } : {}), done);
});

// Failures

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
  if (fault) act(at('faults'), () => (target.value === 'none' ? ask('DELETE', '/faults') : ask('PUT', '/faults', fault)), `JWKS endpoint: ${target.parentElement.textContent.trim()}.`);
});

function showCompletions(completions) {
  at('completions-part').hidden = completions === null;
  if (completions === null) return;
  for (const input of at('completions').querySelectorAll('input')) input.checked = input.value === (completions.failure ?? '');
  at('completions-count').textContent = completions.requests === 0 ? 'No requests yet.' : `Requests: ${completions.requests}.`;
}

at('completions').addEventListener('change', ({ target }) => {
  act(at('completions'), () => ask('PUT', '/completions', { failure: target.value || null }), `Code generation: ${target.parentElement.textContent.trim()}.`);
});

function showRateLimit({ reached }) {
  at('rate-limit').checked = reached;
}

at('rate-limit').addEventListener('change', ({ target }) => {
  act(target, () => ask('PUT', '/rate-limit', { reached: target.checked }), target.checked ? 'Sign-in requests are answered with 429.' : 'Sign-in requests are answered again.');
});

function showBackChannel({ enabled, urls, deliveries }) {
  at('back-channel').checked = enabled;
  const [last] = deliveries;
  const outcome = last && (last.status ? `status ${last.status}` : last.problem);
  at('back-channel-note').textContent = urls.length === 0
    ? 'No URL is configured; bearward dev configures its own API.'
    : `To ${urls.join(', ')}. ${last ? `Last: ${when(last.at)}, ${outcome}.` : 'None sent yet.'}`;
}

at('back-channel').addEventListener('change', ({ target }) => {
  act(target, () => ask('PUT', '/backchannel-logout', { enabled: target.checked }), target.checked ? 'Logout tokens are sent.' : 'Logout tokens are not sent.');
});

// The API

let api;

function showApi(found) {
  const isNew = api === undefined;
  api = found;
  setApi(found);
  at('docs').hidden = found === null;
  if (isNew) showRequests();
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

// Live: the requests of the API, the inbox, and changes of users and sessions

const requests = [];

function requestItem({ at: time, method, route, status, duration_ms, code, message, token_rejected, issuer, kid }) {
  const colour = status < 400 ? 'good' : token_rejected ? 'bad' : 'warn';
  const signer = [issuer && `issuer ${issuer}`, kid && `key ${kid}`].filter(Boolean).join(', ');
  return make('li', {},
    make('span', { class: `status ${colour}` }, String(status)),
    make('code', {}, `${method} ${route}`),
    make('small', {}, `${clockTime(time)}, ${duration_ms} ms`),
    code ? make('p', {}, make('strong', { class: colour }, code), `: ${message}`) : undefined,
    token_rejected && signer ? make('p', { class: 'quiet' }, signer) : undefined);
}

function showRequests() {
  at('requests').replaceChildren(...requests.map(requestItem));
  at('requests-empty').hidden = requests.length > 0;
  at('requests-empty').textContent = api ? 'None yet. Send one with the curl snippet above, and it appears here with the reason if its token is rejected.' : 'No API runs in this process; bearward dev starts one.';
}

function showInbox({ count, unused, mails }) {
  at('inbox-link').textContent = unused ? `Inbox (${unused})` : 'Inbox';
  at('mails-count').textContent = count > mails.length ? `${mails.length} of ${count}` : '';
  at('mails-empty').hidden = count > 0;
  show('mails', mails, () => mails.map(({ to, subject, link, code, sent_at, used }) => make('li', {},
    used ? subject : make('a', { href: link }, subject),
    make('small', {}, `to ${to}, ${when(sent_at)}${used ? ', used or replaced' : `, code ${code}`}`))));
}

function live() {
  const events = new EventSource('/admin/events');
  const on = (name, handle) => events.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
  events.onopen = () => {
    at('live').textContent = 'live';
  };
  events.onerror = () => {
    at('live').textContent = 'not connected';
  };
  on('request', (request) => {
    // A restarted IdP counts from 1 again.
    if (requests.length > 0 && request.number <= requests[0].number) requests.length = 0;
    requests.unshift(request);
    requests.length = Math.min(requests.length, MAX_REQUESTS);
    showRequests();
  });
  on('inbox', showInbox);
  on('change', () => refresh().catch(() => {}));
}

// Polling, while the page is visible: the key cache changes without an event

async function refresh() {
  const [{ api: found }, { keys }, { users }, { sessions }, faults, backChannel, rateLimit, clock, { completions }] = await Promise.all(
    ['/api', '/keys', '/users', '/sessions', '/faults', '/backchannel-logout', '/rate-limit', '/clock', '/completions'].map((path) => ask('GET', path)),
  );
  showApi(found);
  showKeys(keys);
  showUsers(users, sessions);
  showFaults(faults);
  showBackChannel(backChannel);
  showRateLimit(rateLimit);
  showClock(clock);
  showCompletions(completions);
}

async function watch() {
  if (!document.hidden) {
    try {
      await refresh();
      at('offline').hidden = true;
    } catch (error) {
      at('offline').hidden = false;
      at('offline').textContent = error instanceof TypeError ? 'The IdP is unreachable. Is it still running?' : error.message;
    }
  }
  setTimeout(watch, POLL_MS);
}

at('programs').addEventListener('toggle', async ({ currentTarget }) => {
  const target = currentTarget.querySelector('pre');
  if (!target.textContent) target.textContent = await fetch('/', { headers: { accept: 'text/plain' } }).then((response) => response.text(), () => 'The IdP is unreachable.');
});

ask('GET', '/connect').then(async (values) => {
  showConnect(values);
  await refresh();
  // A reload of some browsers keeps the field.
  if (at('token').value) await explain();
}, () => {}).finally(() => {
  watch();
  live();
});
