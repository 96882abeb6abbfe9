// The token: its parts, what they mean, the verdict of the API, and the editor.
import { ask, at, coloured, copy, make, say } from './dom.js';
import { CLAIMS, HEADER, inWords } from './meanings.js';

let api = null;

/** Sets the API that verifies tokens; null if none runs in this process. */
export function setApi(found) {
  api = found;
  at('copy-curl').hidden = found === null;
}

/** Removes quotes, the header name and the scheme, which are often pasted with the token. */
function extractToken(text) {
  return text.trim().replace(/^["']+/, '').replace(/^authorization:\s*/i, '').replace(/^bearer\s+/i, '').replace(/["']+$/, '').trim();
}

function decode(part) {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Draws the text of the field in three colours, below the field. */
function colour() {
  const text = at('token').value;
  const [, before, header, claims, rest] = text.match(/^([^.]*?)([\w-]*)(?:\.([^.]*)(\.[^]*)?)?$/) ?? [null, text];
  const isToken = claims !== undefined;
  at('legend').hidden = !isToken;
  const span = (name, value) => make('span', { class: name }, value ?? '');
  const parts = isToken ? [before, span('header', header), '.', span('claims', claims), rest ? '.' : '', span('signature', rest?.slice(1))] : [text];
  // A final line break has no height without a character after it.
  at('token-colours').replaceChildren(...parts, '\u200b');
}

function members(part, meanings) {
  const rows = Object.entries(part).map(([name, value]) => make('tr', {},
    make('th', { scope: 'row' }, make('code', {}, name)),
    make('td', {}, inWords(name, value)),
    make('td', {}, Object.hasOwn(meanings, name) ? meanings[name] : 'A custom claim. The API passes it on as it is.')));
  return rows;
}

/** Shows the parts, and fills the editor. */
function showParts(token) {
  const [headerPart = '', claimsPart = ''] = token.split('.');
  const [header, claims] = [decode(headerPart), decode(claimsPart)];
  const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
  const text = (value) => (value === undefined ? ['Not base64url-encoded JSON.'] : coloured(value));
  at('header').replaceChildren(...text(header));
  at('claims').replaceChildren(...text(claims));
  const rows = [...(isObject(header) ? members(header, HEADER) : []), ...(isObject(claims) ? members(claims, CLAIMS) : [])];
  at('members').replaceChildren(make('table', { class: 'checks', 'aria-label': 'Members of the token' }, make('tbody', {}, rows)));
  at('editor').hidden = !isObject(header) || !isObject(claims);
  fillEditor = () => {
    at('edit-header').value = JSON.stringify(header, null, 2);
    at('edit-claims').value = JSON.stringify(claims, null, 2);
  };
  if (!at('editor').hidden) fillEditor();
}

let fillEditor = () => {};

// In one column, the table would separate the token from the next section.
if (window.matchMedia('(max-width: 47.99rem)').matches) at('meanings').open = false;

/** Explains the token in the field. Returns a message. */
export async function explain() {
  const token = extractToken(at('token').value);
  colour();
  at('parts').hidden = token === '';
  at('verdict').replaceChildren();
  if (token === '') return 'There is no token to explain.';
  showParts(token);
  if (api === null) {
    const how = ['No API runs in this process, so the token is decoded but not verified. ', make('code', {}, 'bearward dev'), ' starts both. ', make('code', {}, 'bearward explain -'), ' verifies a token with any configuration.'];
    at('verdict').replaceChildren(make('p', { class: 'advice' }, ...how));
    return 'Decoded.';
  }
  at('verdict').replaceChildren(...verdict(await ask('POST', '/explain', { token })));
  return 'Explained below.';
}

const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function verdict({ accepted, code, message, advice, checks, claims = [] }) {
  const having = (outcome) => checks.filter((check) => check.outcome === outcome);
  const failed = having('failed').map(({ check, found, expected }) => make('div', { class: 'failed-check' },
    make('h3', { class: 'bad' }, make('span', { 'aria-hidden': 'true' }, '✗ '), `Failed: ${check}`),
    make('dl', {}, make('dt', {}, 'Found'), make('dd', {}, found || 'nothing'), expected ? [make('dt', {}, 'Expected'), make('dd', {}, expected)] : undefined)));
  const row = ({ check, found, expected, outcome }) => make('tr', {},
    make('td', { class: 'mark' }, outcome === 'passed' ? make('span', { role: 'img', 'aria-label': 'passed' }, '✓') : ''),
    make('th', { scope: 'row' }, check), make('td', {}, found), make('td', {}, expected));
  const folded = (list, title) => (list.length === 0 ? undefined : make('details', {}, make('summary', {}, title), make('table', { class: 'checks', 'aria-label': title }, make('tbody', {}, list.map(row)))));
  const [passed, rest] = [having('passed'), having('not_reached')];
  return [
    make('p', { class: `verdict ${accepted ? 'good' : 'bad'}` }, accepted ? 'The API accepts it' : `The API rejects it: ${code}`),
    accepted ? undefined : make('p', { class: 'advice' }, message[0].toUpperCase() + message.slice(1), '.'),
    ...failed,
    advice ? make('p', { class: 'advice' }, make('strong', {}, 'Next: '), advice) : undefined,
    folded(passed, `${plural(passed.length, 'check')} passed`),
    folded(rest, `${plural(rest.length, 'check')} not reached`),
    claims.length > 0 ? grants(accepted, claims) : undefined,
  ].filter(Boolean);
}

/** What the claim mapping of the issuer finds: who the caller is and what the token grants. */
function grants(accepted, claims) {
  const row = ({ name, from, found, problem }) => make('tr', {},
    make('th', { scope: 'row' }, name),
    make('td', {}, found.join(', ') || 'none'),
    make('td', {}, problem ?? `from ${from.join(', ')}`));
  const roles = claims.find(({ name }) => name === 'roles')?.found ?? [];
  const admin = roles.includes('admin') ? 'It has the role admin, for the administration routes.' : 'It does not have the role admin, so the administration routes answer 403.';
  return make('div', {},
    make('h3', {}, accepted ? 'What it grants' : 'What it would grant'),
    make('p', { class: 'quiet' }, `${accepted ? 'Every route that requires a user.' : 'Nothing, until it is accepted.'} ${accepted ? admin : ''}`),
    make('table', { class: 'checks', 'aria-label': 'Mapped claims' }, make('tbody', {}, claims.map(row))));
}

/** Requests a token and explains it. */
export async function issue(request) {
  const { access_token } = await ask('POST', '/tokens', request);
  at('token').value = access_token;
  await explain();
  // In a small window the token is below the form.
  if (at('token-title').getBoundingClientRect().top > window.innerHeight) at('token-title').scrollIntoView();
}

at('token').addEventListener('input', colour);

at('explain').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = event.submitter ?? event.target;
  try {
    say(button, await explain());
  } catch (error) {
    say(button, error.message, true);
  }
});

at('copy').addEventListener('click', ({ currentTarget }) => copy(currentTarget, extractToken(at('token').value), 'token'));
at('copy-curl').addEventListener('click', ({ currentTarget }) => {
  // The token is quoted in the command and must not end the quotes.
  const token = extractToken(at('token').value).replace(/[^\w.~+/=-]/g, '');
  copy(currentTarget, token && `curl -i ${api.address}/protected -H "Authorization: Bearer ${token}"`, 'command');
});

at('edit-reset').addEventListener('click', () => fillEditor());
at('edit').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = event.submitter ?? event.target;
  const read = (id, name) => {
    let value;
    try {
      value = JSON.parse(at(id).value);
    } catch (error) {
      throw new Error(`Invalid JSON in ${name}: ${error.message}`);
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error(`${name} must be a JSON object.`);
    return value;
  };
  try {
    await issue({ replace: true, header: read('edit-header', 'Header'), claims: read('edit-claims', 'Claims') });
    say(button, 'Signed. The verdict is above.');
    at('verdict').scrollIntoView({ block: 'nearest' });
  } catch (error) {
    say(button, error.message, true);
  }
});
