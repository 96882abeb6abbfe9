// Keeps the list of the inbox up to date. The page itself is complete without this script.
import { make } from './dom.js';

const list = document.getElementById('mails');

function article({ type, to, subject, link, code, sent_at, used }) {
  return make('article', { 'data-type': type, 'data-to': to },
    make('h2', {}, subject, used ? make('small', {}, ' (used or replaced)') : undefined),
    make('p', {}, `To ${to}`, make('br'), make('small', {}, sent_at)),
    make('p', {}, make('a', { href: link }, subject)),
    make('p', {}, 'or enter the code ', make('code', { class: 'code' }, code)));
}

async function refresh() {
  const response = await fetch('/.inbox', { headers: { accept: 'application/json' } });
  const { mails } = await response.json();
  document.getElementById('empty').hidden = mails.length > 0;
  document.getElementById('clear').hidden = mails.length === 0;
  list.replaceChildren(...mails.map(article));
}

// The first event describes what the page already shows.
let isFirst = true;
new EventSource('/admin/events').addEventListener('inbox', () => {
  if (!isFirst) refresh().catch(() => {});
  isFirst = false;
});

document.getElementById('clear').addEventListener('click', () => fetch('/.inbox', { method: 'DELETE' }));
