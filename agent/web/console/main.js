// The shell: routes by the address's fragment, asks for the key, theme, keys, health. Each view is a module of its own.
import {askWith, setKey} from './api.js';
import {button, fill, h, state} from './dom.js';

const VIEWS = [
  ['try', 'Try it', () => import('./try.js')],
  ['tasks', 'Tasks', () => import('./tasks.js')],
  ['review', 'Review', () => import('./review.js')],
  ['agent', 'Agent', () => import('./agent.js')],
  ['operations', 'Operations', () => import('./operations.js')],
];
const HIDDEN = {task: () => import('./task.js')};
const KEYS = [
  ['j  k', 'next, previous field'], ['n', 'next doubtful field'], ['a  e  x  z', 'accept, correct, reject, undo'], ['?', 'this list'],
];

const main = h('main', {id: 'main', tabindex: '-1'});
const links = new Map(VIEWS.map(([id, label]) => [id, h('a', {href: `#/${id}`, text: label})]));
const health = h('a', {class: 'health', href: '#/operations'}, h('i', {'aria-hidden': 'true'}), h('span', {text: 'checking'}));
let view = null;
let turn = 0;

function theme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
}

function bar() {
  return h('header', {class: 'topbar'},
    h('a', {class: 'brand', href: '#/try', 'aria-label': 'Document extraction, start'}, h('img', {src: '/console/mark.svg', alt: '', width: '20', height: '20'}), h('span', {text: 'Extraction'})),
    h('nav', {class: 'views', 'aria-label': 'Views'}, [...links.values()]),
    h('span', {class: 'space'}), health,
    button('', () => askKey(false), {kind: 'bare', symbol: 'key', 'aria-label': 'Key', title: 'Give another key'}),
    button('', theme, {kind: 'bare', symbol: 'moon', 'aria-label': 'Light or dark', title: 'Light or dark'}),
    button('', showKeys, {kind: 'bare', symbol: 'help', 'aria-label': 'Keyboard', title: 'Keyboard'}));
}

/** Asks for a key; resolves to whether one was given. The key stays in memory and is asked again after a reload. */
function askKey(refused) {
  return new Promise((done) => {
    const field = h('input', {type: 'password', id: 'key', autocomplete: 'off', spellcheck: 'false', required: true});
    const form = h('form', {method: 'dialog', onsubmit: () => { setKey(field.value.trim()); dialog.returnValue = 'given'; }},
      h('h2', {text: refused ? 'The key is not accepted' : 'A key, please'}),
      h('p', {text: refused ? 'It is unknown, has expired or was revoked. Your work on this page is kept.' : 'It stays in the memory of this page and is asked for again after a reload.'}),
      h('label', {for: 'key', text: 'API key or bearer token'}), field,
      h('p', {class: 'actions'}, h('button', {class: 'button primary', type: 'submit', text: 'Continue'}),
        button('Not now', () => dialog.close('none'))));
    const dialog = h('dialog', {class: 'ask', 'aria-label': 'Key', onclose: () => {
      const given = dialog.returnValue === 'given';
      dialog.remove();
      done(given);
      if (given) look();
    }}, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

function showKeys() {
  const dialog = h('dialog', {class: 'ask', 'aria-label': 'Keyboard', onclose: () => dialog.remove()},
    h('h2', {text: 'Keyboard'}), h('dl', {class: 'keys'}, KEYS.flatMap(([keys, words]) => [h('dt', {}, keys.split('  ').map((one) => h('kbd', {text: one}))), h('dd', {text: words})])),
    h('form', {method: 'dialog'}, h('button', {class: 'button', text: 'Close'})));
  document.body.append(dialog);
  dialog.showModal();
}

/** `#/task/ID?field=/total` as its parts. */
export function route() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [name = 'try', ...rest] = path.split('/');
  return {name: name || 'try', rest: rest.map(decodeURIComponent), query: new URLSearchParams(query)};
}

async function open() {
  const {name, rest, query} = route();
  const mine = (turn += 1);
  const load = HIDDEN[name] ?? VIEWS.find(([id]) => id === name)?.[2];
  for (const [id, link] of links) {
    if (id === (name === 'task' ? 'tasks' : name)) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  view?.close?.();
  view = null;
  document.title = `${VIEWS.find(([id]) => id === name)?.[1] ?? 'Task'} · Document extraction`;
  if (!load) return fill(main, state('empty', 'There is nothing at this address', 'Choose a view above.'));
  fill(main, state('loading', 'Loading'));
  try {
    const module = await load().catch(() => { throw new Error('The service cannot be reached.'); });
    if (mine !== turn) return null;
    const made = await module.open({rest, query, main});
    if (mine !== turn) return made?.close?.();
    view = made;
  } catch (fault) {
    if (mine === turn) fill(main, refusal(fault, open));
  }
  return null;
}

/** Any fault as a state: not permitted, not known, unreachable. */
export function refusal(fault, again) {
  if (fault.status === 401) return state('denied', 'A key is needed', fault.hint ?? 'Ask the operator for one.', button('Give a key', again, {kind: 'primary'}));
  if (fault.status === 403) return state('denied', 'This key may not see this', fault.message);
  if (fault.status === 404) return state('empty', 'Not found', 'It may belong to another key, or its time is over.');
  return state('error', 'That did not work', [fault.message, fault.hint].filter(Boolean).join(' '), button('Try again', again));
}

async function look() {
  let word = 'ready';
  let kind = 'good';
  let title = 'Every part answers';
  try {
    const answer = await fetch('/health/ready', {credentials: 'omit'});
    const body = await answer.json();
    if (!answer.ok) {
      [word, kind] = ['not ready', 'bad'];
      title = Object.entries(body.checks).filter(([, ok]) => !ok).map(([name]) => name).join(', ');
    }
  } catch {
    [word, kind, title] = ['unreachable', 'bad', 'The service does not answer'];
  }
  health.className = `health ${kind}`;
  health.title = title;
  health.lastChild.textContent = word;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.target.closest('input, textarea, select, [contenteditable]')) return;
  if (event.key === '?') showKeys();
  else if (view?.key?.(event.key)) event.preventDefault();
}

askWith(askKey);
fill(document.getElementById('app'), bar(), main);
addEventListener('hashchange', open);
addEventListener('keydown', pressed);
open();
look();
setInterval(() => { if (!document.hidden) look(); }, 5000);
