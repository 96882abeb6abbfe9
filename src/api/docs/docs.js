// All texts of the document and of responses are added as text nodes, never as markup.
import { example, form, resolve } from './schema.js';

const at = (id) => document.getElementById(id);
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];
const tokenUrl = document.querySelector('meta[name="token-url"]').content;

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null));
  return element;
}

// Text: the part of Markdown that descriptions use

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\(https?:[^)\s]+\))/).map((part) => {
    const link = part.match(/^\[(.+)\]\((https?:.+)\)$/);
    if (link) return make('a', { href: link[2], rel: 'noreferrer' }, link[1]);
    if (/^`.+`$/.test(part)) return make('code', {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return make('strong', {}, part.slice(2, -2));
    return part;
  });
}

function prose(text) {
  return (text ?? '').split(/\n\s*\n/).filter((block) => block.trim()).map((block) => {
    const lines = block.trim().split('\n');
    if (lines[0].startsWith('#')) return [make('h3', {}, lines[0].replace(/^#+\s*/, '')), prose(lines.slice(1).join('\n'))];
    if (lines[0].startsWith('|')) {
      const cells = (line) => line.replace(/^\||\|$/g, '').split('|').map((cell) => inline(cell.trim()));
      const [head, , ...rows] = lines;
      return make('table', {},
        make('thead', {}, make('tr', {}, cells(head).map((cell) => make('th', { scope: 'col' }, cell)))),
        make('tbody', {}, rows.map((row) => make('tr', {}, cells(row).map((cell) => make('td', {}, cell))))));
    }
    if (/^[-*] /.test(lines[0])) return make('ul', {}, block.trim().split(/\n?^[-*] /m).filter(Boolean).map((item) => make('li', {}, inline(item.replaceAll('\n', ' ')))));
    return make('p', {}, inline(lines.join(' ')));
  });
}

/** Colours JSON text. Other text is shown as it is. */
function coloured(text) {
  let pretty;
  try {
    pretty = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return [text];
  }
  return pretty.split(/("(?:\\.|[^"\\])*"(?:\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*)/).map((part) => {
    if (part.startsWith('"')) return make('span', { class: part.endsWith(':') ? 'key' : 'string' }, part);
    if (/^(true|false|null)$/.test(part)) return make('span', { class: 'word' }, part);
    return /^-?\d/.test(part) ? make('span', { class: 'number' }, part) : part;
  });
}

const block = (label, ...children) => make('pre', { tabindex: '0', role: 'group', 'aria-label': label }, ...children);

// Operations

/** Lists the operations. Methods of one path that differ in nothing are one operation. */
function operationsOf(api) {
  return Object.entries(api.paths ?? {}).flatMap(([path, item]) => {
    const groups = new Map();
    for (const method of METHODS.filter((name) => item[name])) {
      const { operationId, ...rest } = item[method];
      const same = JSON.stringify(rest);
      const found = groups.get(same);
      if (found) found.methods.push(method.toUpperCase());
      else groups.set(same, { id: operationId ?? `${method}${path}`, path, methods: [method.toUpperCase()], shared: item.parameters ?? [], ...rest });
    }
    return [...groups.values()];
  });
}

const titleOf = (name) => (name[0].toUpperCase() + name.slice(1)).replace(/^Api\b/, 'API');

const isProtected = (api, operation) => {
  const security = operation.security ?? api.security ?? [];
  return security.length > 0 && !security.some((scheme) => Object.keys(scheme).length === 0);
};

function summaryOf(api, operation) {
  const name = operation.methods.length > 1 ? 'ANY' : operation.methods[0];
  const about = operation.summary ?? operation.description?.split('\n')[0] ?? '';
  const lock = isProtected(api, operation) ? make('span', { class: 'lock' }, 'token') : make('span', {});
  return make('summary', {}, make('span', { class: `method ${name}` }, name), make('code', {}, operation.path), make('span', { class: 'about' }, about), lock);
}

function responsesOf(api, operation) {
  const one = ([status, given]) => {
    const response = resolve(api, given);
    const content = Object.entries(response.content ?? {});
    const headers = Object.entries(response.headers ?? {});
    const colour = status.startsWith('2') ? 'good' : status.startsWith('3') ? '' : 'bad';
    const title = make('summary', {}, make('span', { class: `status ${colour}` }, status), make('span', {}, inline(response.description ?? '')));
    const parts = content.flatMap(([type, media]) => {
      const named = Object.values(media.examples ?? {}).map((entry) => resolve(api, entry).value);
      const value = media.example ?? named[0];
      return [
        make('p', { class: 'quiet' }, type),
        media.schema ? block(`Form of the response ${status}`, form(api, media.schema)) : undefined,
        value === undefined ? undefined : block(`Example of the response ${status}`, coloured(JSON.stringify(value))),
      ];
    });
    const rows = headers.map(([name, header]) => make('tr', {}, make('th', { scope: 'row' }, make('code', {}, name)), make('td', {}, inline(resolve(api, header).description ?? ''))));
    return make('details', {}, title, parts, rows.length ? make('table', { 'aria-label': `Headers of the response ${status}` }, make('tbody', {}, rows)) : undefined, parts.length + rows.length ? undefined : make('p', { class: 'quiet' }, 'No body.'));
  };
  return make('div', { class: 'responses' }, make('h3', {}, 'Responses'), Object.entries(operation.responses ?? {}).sort().map(one));
}

function tryOf(api, operation) {
  const parameters = [...operation.shared, ...(operation.parameters ?? [])].map((parameter) => resolve(api, parameter));
  const prefix = `try-${operation.id}`;
  const fields = parameters.map((parameter, index) => {
    const schema = resolve(api, parameter.schema);
    const id = `${prefix}-${index}`;
    const input = make('input', { id, autocomplete: 'off', spellcheck: 'false', required: parameter.required, value: parameter.required ? (parameter.example ?? schema.example ?? '') : undefined, placeholder: parameter.example ?? schema.example ?? '' });
    return { parameter, input, row: [make('label', { for: id }, make('code', {}, parameter.name), ' ', make('small', {}, inline(`${parameter.in}${parameter.required ? '' : ', optional'}${parameter.description ? `: ${parameter.description}` : ''}`))), input] };
  });
  const [bodyType, media] = Object.entries(resolve(api, operation.requestBody ?? {}).content ?? {})[0] ?? [];
  const isJson = bodyType?.includes('json');
  const body = bodyType ? make('textarea', { id: `${prefix}-body`, rows: '7', spellcheck: 'false' }) : undefined;
  if (body) body.value = isJson ? JSON.stringify(media.example ?? example(api, media.schema), null, 2) : '';
  const method = operation.methods.length > 1 ? make('select', { id: `${prefix}-method` }, operation.methods.filter((name) => name !== 'TRACE').map((name) => make('option', {}, name))) : undefined;
  const said = make('span', { class: 'said', role: 'status' });
  const result = make('div', {});

  const request = () => {
    const url = new URL(operation.path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(fields.find(({ parameter }) => parameter.name === name)?.input.value ?? '')), location.origin);
    const headers = new Headers();
    for (const { parameter, input } of fields) {
      if (input.value === '') continue;
      if (parameter.in === 'query') url.searchParams.append(parameter.name, input.value);
      if (parameter.in === 'header') headers.set(parameter.name, input.value);
    }
    const token = tokenValue();
    if (token && isProtected(api, operation)) headers.set('authorization', `Bearer ${token}`);
    if (body) headers.set('content-type', bodyType);
    return { url, init: { method: method?.value ?? operation.methods[0], headers, body: body?.value || undefined, redirect: 'manual' } };
  };
  const send = async (event) => {
    event.preventDefault();
    const button = event.submitter;
    let order;
    try {
      order = request();
    } catch {
      said.textContent = 'The token or a header has a character that HTTP does not allow.';
      return;
    }
    if (button) button.disabled = true;
    said.textContent = 'Sending.';
    const started = performance.now();
    try {
      const response = await fetch(order.url, order.init);
      const text = await response.text();
      said.textContent = `${response.status} ${response.statusText}, ${Math.round(performance.now() - started)} ms`;
      said.className = `said ${response.ok ? 'good' : 'bad'}`;
      const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      result.replaceChildren(
        text ? block('Body of the response', coloured(text)) : make('p', { class: 'quiet' }, 'The response has no body.'),
        make('details', {}, make('summary', {}, 'Headers'), block('Headers of the response', headers)));
    } catch (error) {
      said.className = 'said bad';
      said.textContent = `No response: ${error.message}.`;
    }
    if (button) button.disabled = false;
  };
  const copy = async () => {
    try {
      const { url, init } = request();
      const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
      const command = ['curl -i', init.method === 'GET' ? '' : `-X ${init.method}`, quote(String(url)), ...[...init.headers].map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`), init.body ? `-d ${quote(init.body)}` : ''];
      await navigator.clipboard.writeText(command.filter(Boolean).join(' '));
      said.textContent = 'The command was copied.';
    } catch {
      said.textContent = 'The browser does not allow copying.';
    }
  };
  return make('form', { onsubmit: send, 'aria-label': `Try ${operation.methods.length > 1 ? 'ANY' : operation.methods[0]} ${operation.path}` },
    make('h3', {}, 'Try it'),
    method ? [make('label', { for: method.id }, 'Method'), method] : undefined,
    fields.map(({ row }) => row),
    body ? [make('label', { for: body.id }, 'Body ', make('small', {}, bodyType)), body, media.schema ? make('details', {}, make('summary', {}, 'Form of the body'), block('Form of the body', form(api, media.schema))) : undefined] : undefined,
    make('div', { class: 'row' }, make('button', { class: 'main' }, 'Send'), make('button', { type: 'button', onclick: copy }, 'Copy as curl'), said),
    result);
}

function operationCard(api, operation) {
  const card = make('details', { class: 'operation', id: `op-${operation.id}` }, summaryOf(api, operation));
  card.addEventListener('toggle', () => {
    if (!card.open || card.childElementCount > 1) return;
    card.append(make('div', { class: 'body' }, make('div', {}, prose(operation.description), responsesOf(api, operation)), make('div', {}, tryOf(api, operation))));
  });
  return card;
}

// The page

function show(api) {
  at('title').textContent = document.title = `${api.info.title} API`;
  at('version').textContent = api.info.version;
  at('description').replaceChildren(...inline(api.info.description ?? ''));
  const operations = operationsOf(api);
  const names = [...new Set([...(api.tags ?? []).map(({ name }) => name), ...operations.map(({ tags }) => tags?.[0] ?? 'other')])];
  const groups = names.map((name) => ({ name, about: api.tags?.find((tag) => tag.name === name)?.description, cards: operations.filter(({ tags }) => (tags?.[0] ?? 'other') === name).map((operation) => ({ operation, card: operationCard(api, operation) })) })).filter(({ cards }) => cards.length > 0);
  const id = (name) => `tag-${name.replace(/\W+/g, '-')}`;
  const sections = groups.map(({ name, about, cards }) => make('section', { class: 'group', 'aria-labelledby': id(name) }, make('h2', { id: id(name) }, titleOf(name)), about ? make('p', {}, inline(about)) : undefined, cards.map(({ card }) => card)));
  at('operations').replaceChildren(...sections);
  at('contents').replaceChildren(...groups.map(({ name, cards }) => make('li', {}, make('a', { href: `#${id(name)}` }, titleOf(name)), ' ', make('small', {}, String(cards.length)))));
  at('filter').addEventListener('input', ({ target }) => {
    const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    groups.forEach(({ cards }, index) => {
      let shown = 0;
      for (const { operation, card } of cards) {
        const text = `${operation.methods.join(' ')} ${operation.path} ${operation.summary ?? ''} ${operation.description ?? ''}`.toLowerCase();
        card.hidden = !words.every((word) => text.includes(word));
        if (!card.hidden) shown += 1;
      }
      sections[index].hidden = shown === 0;
      count += shown;
    });
    at('nothing').textContent = count === 0 ? 'No operation has these words.' : '';
  });
  openTarget();
}

/** Opens the operation that the address names. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}
window.addEventListener('hashchange', openTarget);

// The token

/** Removes what is often pasted with a token: quotes, the header name, the scheme. */
const tokenValue = () => at('token').value.trim().replace(/^["']|["']$/g, '').replace(/^authorization:\s*/i, '').replace(/^bearer\s+/i, '');

at('get-token').hidden = at('admin-choice').hidden = tokenUrl === '';
at('get-token').addEventListener('click', async () => {
  try {
    const claims = at('as-admin').checked ? { app_metadata: { provider: 'email', providers: ['email'], roles: ['admin'] } } : {};
    const response = await fetch(tokenUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ claims }) });
    const { access_token, claims: issued } = await response.json();
    at('token').value = access_token;
    at('token-said').textContent = `A token for ${issued.email}, valid for one hour.`;
  } catch {
    at('token-said').textContent = 'The development IdP did not issue a token. Is it still running?';
  }
});
at('clear-token').addEventListener('click', () => {
  at('token').value = '';
  at('token-said').textContent = 'Cleared.';
});

try {
  const response = await fetch('../openapi.json');
  if (!response.ok) throw new Error(`status ${response.status}`);
  show(await response.json());
} catch (error) {
  at('loading').textContent = `The OpenAPI document cannot be loaded: ${error.message}.`;
}
