// Review: the results that wait for a person, those that had one, and the cases that come of it.
import {json, request, save} from './api.js';
import {button, fill, h, state} from './dom.js';
import {ago} from './tasks.js';
import {spoken} from './result.js';

const FEWEST = 20; // rows to gather before the list stops by itself

export async function open({query, main}) {
  const view = new Queue(query, main);
  await view.start();
  return view;
}

class Queue {
  constructor(query, main) {
    Object.assign(this, {main, state: query.get('state') === 'settled' ? 'settled' : 'waiting'});
    this.rows = h('tbody', {});
    this.foot = h('p', {class: 'pager'});
  }

  async start() {
    const choose = h('select', {'aria-label': 'Which results', onchange: () => {
      this.state = choose.value;
      history.replaceState(null, '', `#/review${this.state === 'settled' ? '?state=settled' : ''}`);
      this.load();
    }}, [['waiting', 'to look at'], ['settled', 'with decisions']].map(([value, text]) => h('option', {value, text, selected: value === this.state})));
    this.fault = h('p', {class: 'fault', role: 'alert', hidden: true});
    fill(this.main, h('div', {class: 'page-wide'}, h('h1', {class: 'unseen', text: 'Review'}),
      h('div', {class: 'toolbar'}, choose, h('span', {class: 'space'}), this.fault,
        button('Export cases', () => this.export(), {kind: 'small', symbol: 'down', title: 'Decided fields as a cases file for the benchmark'})),
      h('div', {class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Results to review'}, h('table', {class: 'grid tasks'},
        h('thead', {}, h('tr', {}, [['Document', ''], ['Type', 'spare'], ['To look at', 'numeric'], ['Decided', 'numeric'], ['Extracted', '']].map(([text, kind]) => h('th', {scope: 'col', class: kind, text})))), this.rows)), this.foot));
    await this.load();
  }

  async load(token = '') {
    const asked = this.state;
    if (!token) {
      this.found = [];
      fill(this.foot);
      this.alone(state('loading', 'Looking through the results'));
    }
    try {
      let next = token;
      const enough = this.found.length + FEWEST;
      do {
        const page = await json(`/reviews?state=${asked}&page_token=${encodeURIComponent(next)}`);
        if (asked !== this.state) return;
        this.found.push(...page.reviews);
        next = page.next_page_token;
      } while (next && this.found.length < enough);
      this.draw(next);
    } catch (fault) {
      if (fault.status === 401) throw fault;
      this.alone(state(fault.status === 403 ? 'denied' : 'error', fault.status === 403 ? 'This needs the scope review' : 'The queue cannot be read', fault.message, button('Try again', () => this.load())));
    }
  }

  alone(node) {
    fill(this.rows, h('tr', {}, h('td', {colspan: '5'}, node)));
  }

  draw(next) {
    if (!this.found.length) this.alone(this.state === 'waiting' ? state('empty', 'Nothing waits for you', 'No completed task holds a doubtful value.') : state('empty', 'Nothing was decided yet', 'Decisions are made beside the pages of a task.'));
    else fill(this.rows, this.found.map((row) => this.row(row)));
    fill(this.foot, next ? button('Older', () => this.load(next), {kind: 'small', symbol: 'right'}) : null);
  }

  row({task_id: task, document, waiting, settled, part, at}) {
    const place = new URLSearchParams({...(waiting.length ? {field: waiting[0]} : {}), ...(part ? {part: String(part)} : {})}).toString();
    return h('tr', {}, h('th', {scope: 'row', class: 'main'}, h('a', {href: `#/task/${task}${place ? `?${place}` : ''}`, text: document.id ?? task})),
      h('td', {class: 'spare', text: document.document_type ? spoken(document.document_type) : ''}),
      h('td', {class: 'numeric'}, waiting.length ? h('span', {class: 'chip warn', title: waiting.join(', '), text: String(waiting.length)}) : h('span', {class: 'hint', text: 'none'})),
      h('td', {class: 'numeric', text: String(settled)}), h('td', {title: new Date(at).toLocaleString(), text: ago(at)}));
  }

  async export() {
    this.fault.hidden = true;
    const answer = await request('/reviews/cases');
    const lines = answer.ok ? await answer.text() : '';
    if (lines) return save('cases.jsonl', 'application/x-ndjson', lines);
    this.fault.textContent = answer.ok ? 'No field is decided as a whole yet.' : 'This key may not export.';
    this.fault.hidden = false;
    return null;
  }
}
