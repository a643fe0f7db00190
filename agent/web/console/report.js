// The report: results with their pages in one file, readable without a network. It is the task view's result, alone.
import {fill, h, state} from './dom.js';
import {ResultView} from './view.js';

/** Shows `{results, pictures}`; `pictures[document id][page]` are data URLs, a page without one says so. */
export function show({results, pictures}, root) {
  let view = null;
  const body = h('div', {class: 'taskbody'});
  const foot = h('div', {class: 'taskfoot'});
  const name = h('h1', {class: 'name'});
  const facts = h('span', {class: 'facts'});
  const choose = h('select', {'aria-label': 'Document', hidden: results.length < 2, onchange: () => open(Number(choose.value))},
    results.map(({document: {id}, page_range: range}, at) => h('option', {value: String(at), text: `${at + 1}. ${id}${range ? ` (${range})` : ''}`})));
  function open(at) {
    const result = results[at];
    const {id, document_type: type, pages, language} = result.document;
    view?.close();
    view = new ResultView({result, picture: (page) => stored(pictures[id]?.[page])});
    name.textContent = id;
    facts.textContent = [type?.replaceAll('_', ' '), `${pages} page${pages === 1 ? '' : 's'}`, language].filter(Boolean).join(' · ');
    fill(body, view.element);
    fill(foot, view.strip);
  }
  document.title = results.map((one) => one.document.id).join(', ');
  addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest('input, select') && view?.key(event.key)) event.preventDefault();
  });
  if (!results.length) return fill(root, state('empty', 'The report holds no result'));
  fill(root, h('main', {class: 'task'}, h('header', {class: 'taskhead'}, name, facts, h('span', {class: 'space'}), choose), body, foot));
  return open(0);
}

async function stored(url) {
  if (url) return url;
  throw Object.assign(new Error('This page is not in the report.'), {code: 'absent'});
}
