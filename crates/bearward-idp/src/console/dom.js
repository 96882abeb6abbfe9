// Elements and messages. All values are untrusted: they are added as text nodes, never as markup.

export const at = (id) => document.getElementById(id);

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

/** Writes a message to the status that is nearest to an element, so that it is in view. */
export function say(element, text, isBad = false) {
  let scope = element;
  while (scope && !scope.querySelector('.said')) scope = scope.parentElement;
  const target = scope?.querySelector('.said');
  if (!target) return;
  target.textContent = text;
  target.className = `said ${isBad ? 'bad' : 'done'}`;
}

export async function ask(method, path, body) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`/admin${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const result = text ? JSON.parse(text) : undefined;
  if (response.ok) return result;
  const problems = (result?.error?.details ?? []).map(({ field, problem }) => `${field} ${problem}`).join('; ');
  throw new Error([result?.error?.message ?? `${method} ${path} failed with status ${response.status}`, problems].filter(Boolean).join(': '));
}

/** Redraws an element only if its data changed, and keeps the keyboard focus and what was entered. */
const shown = new Map();
export function show(id, data, draw) {
  const text = JSON.stringify(data);
  if (shown.get(id) === text) return;
  const target = at(id);
  const focused = target.contains(document.activeElement) ? document.activeElement : undefined;
  if (focused instanceof HTMLInputElement && focused.value !== focused.defaultValue) return;
  shown.set(id, text);
  const name = focused?.dataset.name;
  target.replaceChildren(...draw());
  if (name === undefined) return;
  const named = [...target.querySelectorAll('[data-name]')];
  (named.find((element) => element.dataset.name === name) ?? named[0])?.focus();
}

/** Colours JSON. */
export function coloured(value) {
  return JSON.stringify(value, null, 2).split(/("(?:\\.|[^"\\])*"(?:\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*)/).map((part) => {
    if (part.startsWith('"')) return make('span', { class: part.endsWith(':') ? 'key' : 'string' }, part);
    if (/^(true|false|null)$/.test(part)) return make('span', { class: 'word' }, part);
    return /^-?\d/.test(part) ? make('span', { class: 'number' }, part) : part;
  });
}

export async function copy(element, text, what) {
  if (!text) return say(element, `There is no ${what} to copy.`, true);
  try {
    await navigator.clipboard.writeText(text);
    say(element, `Copied the ${what}.`);
  } catch {
    say(element, 'The browser does not allow copying. Select the text and press Ctrl-C.', true);
  }
}

/** Asks for a confirmation. The focus returns to the button that was used. */
export function confirm(title, text, action) {
  const dialog = at('confirm');
  at('confirm-title').textContent = title;
  at('confirm-text').textContent = text;
  at('confirm-yes').textContent = action;
  return new Promise((resolve) => {
    const close = (answer) => () => {
      dialog.close();
      resolve(answer);
    };
    at('confirm-yes').onclick = close(true);
    at('confirm-no').onclick = close(false);
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
    at('confirm-no').focus();
  });
}
