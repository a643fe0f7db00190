// Elements are made from data, never from markup: text of documents can only become text.

const SVG = 'http://www.w3.org/2000/svg';

/** An element. Properties: class, text, dataset, style (a map), on… (listeners), anything else is an attribute. */
export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(made, name, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function set(made, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'class') made.className = value;
  else if (name === 'text') made.textContent = value;
  else if (name === 'style') for (const [key, one] of Object.entries(value)) made.style.setProperty(key, one);
  else if (name === 'dataset') Object.assign(made.dataset, value);
  else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
  else if (name === 'value') made.value = value;
  else made.setAttribute(name, value === true ? '' : value);
}

/** An SVG element; all properties are attributes. */
export function svg(tag, props = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const SHAPES = {
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4 4l8 8M12 4l-8 8',
  alert: 'M8 2.2L14.6 13.5H1.4zM8 6.4v3.4M8 11.6v.2',
  down: 'M8 2.5v8M4.5 7.5L8 11l3.5-3.5M3 13.5h10',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2.5 6v-3.5h3.5M13.5 6v-3.5h-3.5M2.5 10v3.5h3.5M13.5 10v3.5h-3.5',
  left: 'M10 3L5 8l5 5',
  right: 'M6 3l5 5-5 5',
  file: 'M4 1.8h5l3.5 3.5v9H4zM9 1.8v3.5h3.5',
  key: 'M10.2 2.3a3.5 3.5 0 1 1-2.7 5.7L3 12.5v1.5h2.2v-1.7h1.7l1.6-1.6',
  moon: 'M13.2 9.6A5.7 5.7 0 1 1 6.4 2.8a4.6 4.6 0 0 0 6.8 6.8z',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  redo: 'M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3',
  stop: 'M4 4h8v8H4z',
  upload: 'M8 11V3M4.5 6.5L8 3l3.5 3.5M3 13.5h10',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3l3.2 3.2',
  help: 'M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1.1v.5M8 11.6v.2',
  pen: 'M3 13l.7-2.8 7-7 2.1 2.1-7 7z',
};

/** A line icon, hidden from screen readers: what it means stands beside it or in a label. */
export function icon(name) {
  const path = svg('path', {d: SHAPES[name], fill: 'none', stroke: 'currentColor', 'stroke-width': '1.5'});
  path.setAttribute('stroke-linecap', 'round');
  path.setAttribute('stroke-linejoin', 'round');
  return svg('svg', {viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true'}, path);
}

/** Replaces all children. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return parent;
}

/** What a place shows when it has nothing else: loading, empty, an error, no permission. */
export function state(kind, title, words, ...actions) {
  const role = kind === 'error' || kind === 'denied' ? 'alert' : 'status';
  return h('div', {class: `state state-${kind}`, role},
    kind === 'loading' ? h('span', {class: 'spinner', 'aria-hidden': 'true'}) : null,
    h('p', {class: 'state-title', text: title}),
    words ? h('p', {text: words}) : null,
    actions.length ? h('p', {class: 'actions'}, actions) : null);
}

/** A button. */
export function button(label, onclick, {kind = '', symbol = null, title = null, ...rest} = {}) {
  return h('button', {type: 'button', class: `button ${kind}`, onclick, title, ...rest},
    symbol ? icon(symbol) : null, label ? h('span', {text: label}) : null);
}

/** A row of tabs over one panel. `tabs` are `{id, label, count?, show: () => node}`; arrow keys move between them. */
export function tabs(list, label, chosen = list[0].id, changed = () => {}) {
  const panel = h('div', {class: 'panel', role: 'tabpanel', tabindex: '0'});
  const buttons = list.map((tab) => h('button', {
    type: 'button', role: 'tab', class: 'tab', id: `tab-${tab.id}`, onclick: () => open(tab.id),
  }, h('span', {text: tab.label}), tab.count ? h('span', {class: 'count', text: String(tab.count)}) : null));
  const bar = h('div', {class: 'tabs', role: 'tablist', 'aria-label': label, onkeydown: (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    const at = buttons.indexOf(document.activeElement);
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
  }}, buttons);
  function open(id) {
    list.forEach((tab, at) => {
      buttons[at].setAttribute('aria-selected', String(tab.id === id));
      buttons[at].tabIndex = tab.id === id ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', `tab-${id}`);
    fill(panel, [list.find((tab) => tab.id === id).show()].flat());
    changed(id);
  }
  open(list.some((tab) => tab.id === chosen) ? chosen : list[0].id);
  return {bar, panel, open};
}
