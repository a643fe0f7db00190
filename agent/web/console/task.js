// One task: what it is doing, what it asks, what it found. The address holds the task and the chosen field.
import {about, dataUrl, ENDED, follow, picture, plain, request, rpc, save, setPassword} from './api.js';
import {button, fill, h, icon, state} from './dom.js';
import {csv, pagesShown, spoken} from './result.js';
import {curl, python} from './snippet.js';
import {decisions, Review} from './decide.js';
import {trace} from './trace.js';
import {ResultView} from './view.js';

export async function open({rest: [id], query, main}) {
  const task = await rpc('GetTask', {id});
  const view = new TaskView(task, query, main);
  view.start();
  return view;
}

const WORDS = {
  SUBMITTED: 'waiting', WORKING: 'working', INPUT_REQUIRED: 'asks', AUTH_REQUIRED: 'locked',
  COMPLETED: 'completed', FAILED: 'failed', CANCELED: 'cancelled', REJECTED: 'rejected',
};

/** A state as a pill. */
export function pill(name, words = null) {
  return h('span', {class: `pill ${name.toLowerCase()}`, text: words ?? WORDS[name] ?? name.toLowerCase()});
}

/** The results of a task's artifacts, further documents of a file included. */
export function resultsOf(task) {
  return (task.artifacts ?? []).filter((one) => one.artifactId.startsWith('extraction-') && one.parts.length === 2)
    .flatMap((artifact) => {
      const [{data: values}, {data: rest}] = artifact.parts;
      if (!rest.evidence) return [];
      const first = {values, ...rest};
      return [first, ...(rest.more ?? [])].map((result, at) => ({result, artifact: artifact.artifactId, part: at, trace: artifact.metadata?.trace}));
    });
}

/** The id that a result's document is read under: an upload by its hash, else its library id. */
function documentId(task, result) {
  const {id, sha256} = result.document;
  const own = (task.history ?? []).some((message) => message.parts.some((part) => part.url?.endsWith(`/documents/upload%2F${sha256}`)));
  return own || id.startsWith('upload/') ? `upload/${sha256}` : id;
}

class TaskView {
  constructor(task, query, main) {
    Object.assign(this, {task, query, main, stop: new AbortController(), at: Number(query.get('part') ?? 0)});
    this.live = null;
    this.said = decisions(task.id).catch(() => null); // what cannot be read cannot be decided either
    this.head = h('header', {class: 'taskhead'});
    this.body = h('div', {class: 'taskbody'});
    this.foot = h('div', {class: 'taskfoot'});
    this.progress = h('p', {class: 'progress', role: 'status', 'aria-live': 'polite'});
    fill(main, h('div', {class: 'task'}, this.head, this.progress, this.body, this.foot));
  }

  start() {
    this.draw();
    if (!ENDED.has(this.state)) this.listen();
  }

  get state() {
    return plain(this.task.status.state);
  }

  async listen() {
    try {
      for await (const event of follow(this.task.id, {signal: this.stop.signal, told: (word) => this.told(word)})) {
        this.take(event);
      }
    } catch (fault) {
      if (this.stop.signal.aborted) return;
      if (!fault.final) this.progress.replaceChildren(icon('alert'), fault.message);
    }
    if (this.stop.signal.aborted) return;
    this.task = await rpc('GetTask', {id: this.task.id}); // the stream told of changes; this is the whole
    this.told(null);
    this.draw();
  }

  told(word) {
    this.live = word;
    this.drawHead();
  }

  take(event) {
    if (event.task) this.task = event.task;
    if (event.statusUpdate) this.task = {...this.task, status: event.statusUpdate.status};
    if (event.artifactUpdate) {
      const {artifact} = event.artifactUpdate;
      const others = (this.task.artifacts ?? []).filter((one) => one.artifactId !== artifact.artifactId);
      this.task = {...this.task, artifacts: [...others, artifact]};
    }
    this.draw({keep: !event.artifactUpdate});
  }

  get results() {
    return resultsOf(this.task);
  }

  close() {
    this.stop.abort();
    this.view?.close();
    clearInterval(this.clock);
  }

  key(name) {
    return this.view?.key(name) ?? false;
  }

  draw({keep = false} = {}) {
    this.drawHead();
    const words = this.task.status.message?.parts.find((part) => part.text)?.text;
    const running = !ENDED.has(this.state);
    fill(this.progress, running && words ? words : null);
    this.progress.hidden = !running || !words || ['INPUT_REQUIRED', 'AUTH_REQUIRED'].includes(this.state);
    if (keep && this.view && running) return;
    this.drawBody();
  }

  drawHead() {
    const {results} = this;
    const chosen = results[this.at] ?? results[0];
    const document = chosen?.result.document;
    const name = document?.id ?? named(this.task) ?? 'Task';
    const checks = chosen?.result.checks ?? [];
    const facts = [
      document?.document_type ? spoken(document.document_type) : null,
      document ? `${document.pages} page${document.pages === 1 ? '' : 's'}` : null,
      document?.language ?? null,
      chosen?.result.usage?.seconds !== undefined ? `${chosen.result.usage.seconds} s` : null,
      Number(chosen?.result.usage?.cost_usd) ? `$${chosen.result.usage.cost_usd}` : null,
    ].filter(Boolean);
    fill(this.head,
      h('h1', {class: 'name', text: name}),
      pill(this.state), this.live === 'reconnecting' ? pill('RECONNECTING', 'reconnecting') : null,
      this.stopped ? h('span', {class: 'facts', role: 'status', text: this.stopped}) : null,
      h('span', {class: 'facts', text: facts.join(' · ')}),
      checks.length ? h('span', {class: `chip check ${checks.every((one) => one.passed) ? 'passed' : 'failed'}`}, icon(checks.every((one) => one.passed) ? 'check' : 'cross'), `${checks.filter((one) => one.passed).length} of ${checks.length} checks`) : null,
      h('span', {class: 'space'}),
      results.length > 1 ? this.switcher(results) : null,
      ENDED.has(this.state) ? button('Run again', () => this.again(), {symbol: 'redo', kind: 'small'}) : button('Cancel', () => this.cancel(), {symbol: 'stop', kind: 'small'}),
      chosen ? this.downloads(chosen) : null);
  }

  switcher(results) {
    return h('select', {'aria-label': 'Document', onchange: (event) => { this.at = Number(event.target.value); this.draw(); }},
      results.map(({result}, at) => h('option', {value: String(at), selected: at === this.at, text: `${at + 1}. ${result.document.id}${result.page_range ? ` (${result.page_range})` : ''}`})));
  }

  downloads(chosen) {
    const name = chosen.result.document.id.split('/').at(-1).replace(/\.pdf$/i, '');
    const all = this.results.map((one) => one.result);
    return h('span', {class: 'group-buttons', role: 'group', 'aria-label': 'Download'},
      button('JSON', () => save(`${name}.json`, 'application/json', JSON.stringify(all.length > 1 ? all : all[0], null, 2)), {symbol: 'down', kind: 'small'}),
      button('CSV', () => save(`${name}.csv`, 'text/csv', csv(all)), {kind: 'small'}),
      button('Report', (event) => this.report(name, event.currentTarget), {kind: 'small', title: 'One HTML file with the pages, readable without a network'}));
  }

  /** The result and its pages as one file: the service's empty report, filled here. */
  async report(name, pressed) {
    pressed.disabled = true;
    try {
      const shell = await (await request('/console/report.html')).text();
      const pictures = {};
      for (const {result} of this.results) {
        const pages = pictures[result.document.id] ??= {};
        for (const page of pagesShown(result)) pages[page] ??= await dataUrl(await picture(documentId(this.task, result), page, 110));
      }
      const data = JSON.stringify({results: this.results.map((one) => one.result), pictures}).replaceAll('<', '\\u003c');
      save(`${name}.html`, 'text/html', shell.replace('{{data}}', () => data));
    } catch (fault) {
      this.say(fault.message);
    } finally {
      pressed.disabled = false;
    }
  }

  say(words) {
    fill(this.progress, icon('alert'), words);
    this.progress.hidden = false;
  }

  async cancel() {
    const began = performance.now();
    try {
      this.task = await rpc('CancelTask', {id: this.task.id});
      this.stopped = `stopped after ${Math.round(performance.now() - began)} ms`;
    } catch (fault) {
      this.say(fault.message);
    }
    this.draw();
  }

  async again() {
    try {
      const parts = sent(this.task);
      const {task} = await rpc('SendMessage', {message: {messageId: crypto.randomUUID(), role: 'ROLE_USER', parts}, configuration: {returnImmediately: true}});
      location.hash = `#/task/${task.id}`;
    } catch (fault) {
      this.say(fault.message);
    }
  }

  drawBody() {
    this.view?.close();
    this.view = null;
    const {results} = this;
    const chosen = results[this.at] ?? results[0];
    if (['INPUT_REQUIRED', 'AUTH_REQUIRED'].includes(this.state)) return fill(this.body, this.question());
    this.chosen = chosen;
    if (chosen) return this.drawResult(chosen);
    fill(this.foot);
    const answer = (this.task.artifacts ?? []).find((one) => one.artifactId === 'answer');
    if (answer) return fill(this.body, answered(answer));
    return fill(this.body, this.nothing());
  }

  nothing() {
    if (!ENDED.has(this.state)) return state('loading', this.state === 'SUBMITTED' ? 'Waiting for its turn' : 'Reading the document', 'You may leave this page; the task goes on.');
    const parts = this.task.status.message?.parts ?? [];
    const error = parts.find((part) => part.data?.code)?.data;
    if (this.state === 'FAILED') {
      return state('error', error?.message ?? parts.find((part) => part.text)?.text ?? 'The task failed', [error?.hint, error?.code ? `Code: ${error.code}.` : null].filter(Boolean).join(' '), button('Run again', () => this.again()));
    }
    return state('empty', `The task was ${WORDS[this.state]}`, this.stopped ?? 'There is no result.');
  }

  async drawResult(chosen) {
    const {result, trace: steps} = chosen;
    const said = await this.said;
    if (this.stop.signal.aborted || chosen !== this.chosen) return;
    this.view?.close();
    const id = documentId(this.task, result);
    this.view = new ResultView({
      result, review: said && this.state === 'COMPLETED' ? new Review(this.task.id, chosen, said, (all) => { this.said = Promise.resolve(all); }) : null, picture: async (page, dpi, signal) => URL.createObjectURL(await picture(id, page, dpi, signal)),
      picked: (pointer) => history.replaceState(null, '', `#/task/${this.task.id}${pointer ? `?field=${encodeURIComponent(pointer)}${this.at ? `&part=${this.at}` : ''}` : ''}`),
      extra: [
        {id: 'text', label: 'Text', show: () => this.text(id)},
        {id: 'trace', label: 'Trace', show: () => trace(this.task, result, steps)},
        {id: 'curl', label: 'curl', show: () => h('div', {class: 'snippets'}, curl(sent(this.task)), python(sent(this.task)))},
      ],
    });
    fill(this.body, this.view.element);
    fill(this.foot, this.view.strip);
    const field = this.query.get('field');
    if (field) this.view.select(field);
    this.sizes(id);
  }

  /** Sizes of all pages come after the first paint: until then the first page's size stands for them. */
  async sizes(id) {
    const {view} = this;
    try {
      const info = await about(id);
      const sizes = {};
      for (const {first, last, size} of info.page_sizes) for (let page = first; page <= last; page += 1) sizes[page] = size;
      view.viewer.setPages(info.pages, sizes);
    } catch (fault) {
      if (fault.code === 'password_required' || fault.code === 'wrong_password') this.unlock(id, view, fault.code === 'wrong_password');
    }
  }

  unlock(id, view, wrong) {
    const field = h('input', {type: 'password', 'aria-label': 'Password of the document', autocomplete: 'off', required: true});
    const form = h('form', {class: 'unlock', onsubmit: (event) => {
      event.preventDefault();
      setPassword(id, field.value);
      form.remove();
      view.viewer.retry();
      this.sizes(id);
    }}, h('span', {text: wrong ? 'The password is wrong.' : 'The pages are locked.'}), field, h('button', {class: 'button small', text: 'Show the pages'}));
    view.viewer.element.prepend(form);
  }

  text(id) {
    const out = h('div', {class: 'pagetext'});
    const page = this.view?.viewer.page ?? 1;
    fill(out, state('loading', 'Reading the text'));
    about(id, `/pages/${page}/text`).then(
      (told) => fill(out, h('p', {class: 'hint', text: `Page ${page}, in reading order. The tab shows the page that is in view when it is opened.`}),
        h('pre', {class: 'code wrap', tabindex: '0', text: told.text || '(no text on this page)'})),
      (fault) => fill(out, state('error', 'The text cannot be read', fault.message)));
    return out;
  }

  question() {
    const parts = this.task.status.message?.parts ?? [];
    const data = parts.find((part) => part.data)?.data ?? {};
    const locked = this.state === 'AUTH_REQUIRED';
    const field = h('input', {type: locked ? 'password' : 'text', id: 'answer', autocomplete: 'off', required: true});
    return h('div', {class: 'state question'},
      h('p', {class: 'state-title', text: locked ? (data.code === 'wrong_password' ? 'The password is wrong' : 'The document is locked') : parts.find((part) => part.text)?.text}),
      (data.candidates ?? []).length ? h('p', {class: 'actions'}, data.candidates.map((one) => button(one, () => this.answer({data: {documents: [one]}}), {symbol: 'file'}))) : null,
      h('form', {class: 'inline', onsubmit: (event) => {
        event.preventDefault();
        this.answer(locked ? {data: {password: field.value}} : {text: field.value});
      }}, h('label', {for: 'answer', text: locked ? 'Password' : 'Answer'}), field, h('button', {class: 'button primary', text: locked ? 'Unlock' : 'Send'})));
  }

  async answer(part) {
    try {
      const message = {messageId: crypto.randomUUID(), role: 'ROLE_USER', taskId: this.task.id, parts: [part]};
      const {task} = await rpc('SendMessage', {message, configuration: {returnImmediately: true}});
      if (task.status.timestamp > this.task.status.timestamp) this.task = task; // the stream may have told more already
      this.draw();
      if (this.live === null) this.listen();
    } catch (fault) {
      this.say(fault.message);
    }
  }
}

/** The parts of the first message: what a caller sends to have the same again. */
export function sent(task) {
  return (task.history ?? []).find((message) => message.role === 'ROLE_USER')?.parts ?? [];
}

/** A task's document before there is a result: a file's name, a named document. */
export function named(task) {
  const parts = sent(task);
  return parts.find((part) => part.filename)?.filename ?? parts.find((part) => part.data?.documents)?.data.documents.join(', ') ?? parts.find((part) => part.text)?.text ?? null;
}

function answered(artifact) {
  const text = artifact.parts.find((part) => part.text !== undefined)?.text ?? '';
  const citations = artifact.parts.find((part) => part.data)?.data?.citations ?? [];
  return h('div', {class: 'answer'}, h('pre', {class: 'code wrap', text}),
    citations.length ? h('ul', {}, citations.map((one) => h('li', {text: [one.document, one.field ? spoken(one.field) : null, one.page ? `page ${one.page}` : null].filter(Boolean).join(' · ')}))) : null);
}

