// All tasks of the key: state, document, age; filtered, page by page, kept up to date. And what failed for good.
import {ENDED, json, plain, post, rpc} from './api.js';
import {button, fill, h, icon, state, tabs} from './dom.js';
import {named, pill, resultsOf, sent} from './task.js';
import {doubtful, leaves, spoken} from './result.js';

const STATES = ['SUBMITTED', 'WORKING', 'INPUT_REQUIRED', 'AUTH_REQUIRED', 'COMPLETED', 'FAILED', 'CANCELED', 'REJECTED'];
const HEADS = [['State', ''], ['Document', ''], ['Type', 'spare'], ['Pages', 'numeric spare'], ['To look at', 'numeric'], ['Changed', ''], ['', '']];
const EVERY_MS = 2500;
const PAGE = 50;

export async function open({query, main}) {
  const view = new Tasks(query, main);
  view.start();
  return view;
}

/** Seconds as people say them. */
export function ago(time) {
  const s = Math.max(0, (Date.now() - new Date(time)) / 1000);
  if (s < 60) return `${Math.round(s)} s ago`;
  if (s < 3600) return `${Math.round(s / 60)} min ago`;
  return s < 86_400 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86_400)} d ago`;
}

class Tasks {
  constructor(query, main) {
    Object.assign(this, {main, state: query.get('state') ?? '', tab: query.get('tab') ?? 'all', tokens: [''], words: ''});
    this.rows = h('tbody', {});
    this.pager = h('p', {class: 'pager'});
    this.total = h('span', {class: 'facts', role: 'status'});
  }

  start() {
    const filter = h('select', {'aria-label': 'State', onchange: () => { this.state = filter.value; this.tokens = ['']; history.replaceState(null, '', `#/tasks${this.state ? `?state=${this.state}` : ''}`); this.load(); }},
      h('option', {value: '', text: 'all states'}), STATES.map((one) => h('option', {value: one, selected: one === this.state, text: one.toLowerCase().replaceAll('_', ' ')})));
    const search = h('input', {type: 'search', placeholder: 'Filter this page', 'aria-label': 'Filter this page', oninput: () => { this.words = search.value.toLowerCase(); this.draw(); }});
    this.table = h('div', {class: 'wide'}, h('table', {class: 'grid tasks'},
      h('thead', {}, h('tr', {}, HEADS.map(([text, kind]) => h('th', {scope: 'col', class: kind}, text || h('span', {class: 'unseen', text: 'Actions'}))))), this.rows));
    const made = tabs([
      {id: 'all', label: 'Tasks', show: () => h('div', {}, h('div', {class: 'toolbar'}, filter, search, this.total), this.table, this.pager)},
      {id: 'dead', label: 'Dead letters', show: () => this.dead()},
    ], 'Tasks', this.tab);
    fill(this.main, h('div', {class: 'page-wide'}, made.bar, made.panel));
    fill(this.rows, h('tr', {}, h('td', {colspan: '7'}, state('loading', 'Loading the tasks'))));
    this.load();
    this.clock = setInterval(() => { if (!document.hidden && this.table.isConnected && this.tokens.length === 1) this.look(); }, EVERY_MS);
  }

  close() {
    clearInterval(this.clock);
  }

  /** Reads the page anew when something changed since; nothing else crosses the wire. */
  async look() {
    const known = new Map((this.page?.tasks ?? []).map((task) => [task.id, task.status.timestamp]));
    const [newest] = known.values();
    try {
      const {tasks} = await rpc('ListTasks', {pageSize: PAGE, historyLength: 0, ...(newest ? {statusTimestampAfter: newest} : {})}, {unlogged: true});
      if (tasks.some((task) => known.get(task.id) !== task.status.timestamp)) await this.load({quiet: true});
      else this.draw();
    } catch {
      // the next look tells; what is shown stays
    }
  }

  async load({quiet = false} = {}) {
    const asked = this.state;
    try {
      const page = await rpc('ListTasks', {pageSize: PAGE, pageToken: this.tokens.at(-1), includeArtifacts: true, ...(this.state ? {status: `TASK_STATE_${this.state}`} : {})});
      if (asked === this.state) this.page = page;
      this.draw();
    } catch (fault) {
      if (quiet) return;
      fill(this.rows, h('tr', {}, h('td', {colspan: '7'}, state(fault.status === 403 ? 'denied' : 'error', fault.status === 403 ? 'This key may not list tasks' : 'The tasks cannot be read', fault.message, button('Try again', () => this.load())))));
    }
  }

  draw() {
    if (!this.page) return;
    const held = document.activeElement?.closest?.('[data-task]');
    const found = this.page.tasks.filter((task) => !this.words || `${named(task)} ${task.id}`.toLowerCase().includes(this.words));
    fill(this.rows, found.map((task) => this.row(task)));
    if (!found.length) fill(this.rows, h('tr', {}, h('td', {colspan: '7'}, this.words || this.state ? state('empty', 'No task is like this') : state('empty', 'No tasks yet', 'Extract something first.', h('a', {class: 'button primary', href: '#/try', text: 'Try it'})))));
    if (held) this.rows.querySelector(`[data-task="${held.dataset.task}"] a`)?.focus();
    this.total.textContent = `${this.page.totalSize} task${this.page.totalSize === 1 ? '' : 's'}`;
    fill(this.pager,
      this.tokens.length > 1 ? button('Newer', () => { this.tokens.pop(); this.load(); }, {symbol: 'left', kind: 'small'}) : null,
      this.page.nextPageToken ? button('Older', () => { this.tokens.push(this.page.nextPageToken); this.load(); }, {symbol: 'right', kind: 'small'}) : null);
  }

  row(task) {
    const name = plain(task.status.state);
    const results = resultsOf(task).map((one) => one.result);
    const type = results[0]?.document.document_type;
    const pages = results.length ? new Map(results.map((one) => [one.document.sha256, one.document.pages])) : null;
    const open = results.flatMap((one) => leaves(one.values).filter(([pointer, value]) => doubtful(value, one.evidence[pointer] ?? {}))).length;
    return h('tr', {dataset: {task: task.id}},
      h('td', {}, pill(name)),
      h('td', {class: 'main'}, h('a', {href: `#/task/${task.id}`, text: results[0]?.document.id ?? named(task) ?? task.id}), results.length > 1 ? h('span', {class: 'chip', text: `+${results.length - 1}`}) : null),
      h('td', {class: 'spare', text: type ? spoken(type) : ''}),
      h('td', {class: 'numeric spare', text: pages ? String([...pages.values()].reduce((all, one) => all + one, 0)) : ''}),
      h('td', {class: 'numeric'}, open ? h('span', {class: 'chip warn', text: String(open)}) : results.length ? h('span', {class: 'hint', text: 'none'}) : ''),
      h('td', {title: new Date(task.status.timestamp).toLocaleString(), text: ago(task.status.timestamp)}),
      h('td', {class: 'numeric'}, ENDED.has(name)
        ? name === 'COMPLETED' ? null : button('Run again', () => this.again(task), {kind: 'small'})
        : button('Cancel', () => this.cancel(task), {kind: 'small'})));
  }

  async cancel(task) {
    await rpc('CancelTask', {id: task.id}).catch(() => {}); // it may just have ended: the list will tell
    this.load();
  }

  async again(task) {
    const made = await rpc('SendMessage', {message: {messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: sent(task)}, configuration: {returnImmediately: true}});
    location.hash = `#/task/${made.task.id}`;
  }

  dead() {
    const out = h('div', {});
    this.deadInto(out);
    return out;
  }

  async deadInto(out, told = null) {
    fill(out, state('loading', 'Loading the dead letters'));
    try {
      const {deadLetters: rows} = await json('/admin/dead-letters');
      fill(out, told, rows.length ? h('div', {class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Dead letters'}, h('table', {class: 'grid'},
        h('thead', {}, h('tr', {}, ['Task', 'Caller', 'Attempts', 'Given up', ''].map((text) => h('th', {scope: 'col'}, text || h('span', {class: 'unseen', text: 'Actions'}))))),
        h('tbody', {}, rows.map((row) => h('tr', {}, h('th', {scope: 'row'}, h('code', {text: row.id})), h('td', {text: row.caller}), h('td', {text: String(row.attempts)}),
          h('td', {title: new Date(row.ended).toLocaleString(), text: ago(row.ended)}), h('td', {class: 'numeric'}, button('Replay', () => this.replay(row.id, out), {kind: 'small', symbol: 'redo', 'aria-label': `Replay ${row.id}`})))))))
        : state('empty', 'No dead letters', 'A task is given up here when the processes that ran it died again and again.'));
    } catch (fault) {
      fill(out, state(fault.status === 403 ? 'denied' : 'error', fault.status === 403 ? 'This needs the scope admin' : 'The dead letters cannot be read', fault.message));
    }
  }

  async replay(id, out) {
    let told;
    try {
      const made = await post(`/admin/dead-letters/${id}/replay`, {});
      told = h('p', {class: 'toolbar', role: 'status'}, h('span', {text: 'Asked again as task '}), h('a', {href: `#/task/${made.id}`}, h('code', {text: made.id})));
    } catch (fault) {
      told = h('p', {class: 'toolbar fault', role: 'alert'}, icon('alert'), fault.message);
    }
    this.deadInto(out, told);
  }
}
