// Operations: is it well, what is stuck, where did the figures go in the last hour; the quarantine; the configuration.
import {json, post} from './api.js';
import {button, fill, h, icon, state, svg, tabs} from './dom.js';
import {size} from './try.js';
import {ago} from './tasks.js';

const EVERY_MS = 5000;
const PARTS = {mcp: 'PDF server', llm: 'Model', memory: 'Memory', loop: 'Event loop', tasks: 'Task queue'};
const SERIES = [
  ['waiting', 'Tasks waiting', count], ['running', 'Tasks running', count], ['completed', 'Completed', count], ['failed', 'Failed', count, 'bad'],
  ['requests', 'Requests', count], ['refused', 'Refused by a limit', count, 'bad'], ['lag_s', 'Event loop lag', milliseconds], ['memory_bytes', 'Memory in use', size],
  ['model_calls', 'Model calls', count], ['cost_usd', 'Model cost', dollars],
];

export async function open({main}) {
  const view = new Operations(main);
  await view.start();
  return view;
}

function count(value) {
  return String(Math.round(value * 100) / 100);
}

function milliseconds(seconds) {
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

function dollars(value) {
  return `$${value.toFixed(value && value < 1 ? 4 : 2)}`;
}

/** 4000 seconds as "1 h 6 min". */
function lasted(seconds) {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min` : `${Math.floor(seconds / 86_400)} d ${Math.round((seconds % 86_400) / 3600)} h`;
}

class Operations {
  constructor(main) {
    this.main = main;
    this.live = h('div', {class: 'board'});
    this.opened = new Set();
    this.settings = {};
  }

  async start() {
    const made = tabs([
      {id: 'state', label: 'State', show: () => this.live},
      {id: 'quarantine', label: 'Quarantine', show: () => this.table((out) => this.quarantine(out))},
      {id: 'configuration', label: 'Configuration', show: () => this.table((out) => this.configuration(out))},
    ], 'Operations', 'state');
    fill(this.live, state('loading', 'Asking all parts'));
    fill(this.main, h('div', {class: 'page-wide operations'}, h('h1', {class: 'unseen', text: 'Operations'}), made.bar, made.panel));
    await this.load();
    this.clock = setInterval(() => { if (!document.hidden && this.live.isConnected) this.load(); }, EVERY_MS);
  }

  close() {
    clearInterval(this.clock);
  }

  async load() {
    try {
      if (!this.settings.RATE_LIMIT) await this.readSettings();
      this.draw(await json('/admin/state'));
    } catch (fault) {
      if (fault.status === 403) await this.drawPublic(fault);
      else fill(this.live, state('error', 'The state cannot be read', fault.message, button('Try again', () => this.load())));
    }
  }

  async readSettings() {
    const {settings} = await json('/admin/configuration');
    this.rows = settings;
    this.settings = Object.fromEntries(settings.map(({name, value}) => [name, value]));
  }

  /** Readiness is anybody's to see; the rest needs the scope. */
  async drawPublic(fault) {
    const answer = await fetch('/health/ready', {credentials: 'omit'});
    fill(this.live, this.readiness(await answer.json()), h('section', {class: 'card'}, state('denied', 'The rest needs the scope admin', fault.message)));
    clearInterval(this.clock);
  }

  draw(told) {
    const held = document.activeElement?.closest?.('[data-keep]')?.dataset.keep;
    fill(this.live, h('div', {class: 'stack'}, this.readiness(told.readiness, told), this.models(told.readiness.details.llm)), h('div', {class: 'stack'}, this.server(told.mcp)),
      h('div', {class: 'stack'}, this.tasks(told.tasks), this.limits(told)), this.hour(told.history));
    if (held) this.live.querySelector(`[data-keep="${held}"]`)?.focus();
  }

  readiness({status, checks, details}, told = null) {
    const ready = status === 'ready';
    const facts = [`up ${lasted(details.uptime_s)}`, told ? `version ${told.version}` : null, told ? `process ${told.pid}` : null].filter(Boolean);
    const rows = Object.entries(checks).map(([name, ok]) => this.part(name, ok, details[name] ?? {}));
    return card('Readiness', [h('p', {class: `verdictline ${ready ? 'good' : 'bad'}`, role: 'status'}, h('i', {class: `dot ${ready ? 'good' : 'bad'}`, 'aria-hidden': 'true'}),
      h('b', {text: details.draining ? 'Draining: no new work' : ready ? 'Ready' : 'Not ready'}), h('span', {class: 'facts', text: facts.join(' · ')})),
    h('ul', {class: 'tree'}, rows)]);
  }

  part(name, ok, {required, age_s: age, ...detail}) {
    const none = name === 'llm' && detail.model === 'none';
    const kind = ok ? 'good' : required ? 'bad' : none ? 'off' : 'warn';
    const word = ok ? 'well' : none ? 'not configured' : required ? 'fails' : 'fails, work goes on';
    const known = Object.entries(detail).filter(([, value]) => value !== null && !(typeof value === 'object' && !Object.keys(value).length));
    return h('li', {}, h('details', {open: this.opened.has(name), ontoggle: (event) => { if (event.target.open) this.opened.add(name); else this.opened.delete(name); }},
      h('summary', {dataset: {keep: `part-${name}`}}, h('i', {class: `dot ${kind}`, 'aria-hidden': 'true'}), h('b', {text: PARTS[name] ?? name}), h('span', {class: `partword ${kind}`, text: word}),
        h('span', {class: 'space'}), required ? h('span', {class: 'chip', text: 'required'}) : null,
        h('span', {class: 'facts age', title: 'Age of what is known', text: age === null || age === undefined ? 'of this moment' : `${lasted(age)} ago`})),
      h('dl', {class: 'reasons'}, known.flatMap(([key, value]) => [h('dt', {text: key.replaceAll('_', ' ')}), h('dd', {text: /_bytes$/.test(key) ? size(value) : typeof value === 'object' ? JSON.stringify(value) : String(value)})]))));
  }

  server(mcp) {
    const {workers, ocr, cache, worker_restarts: replaced = {}, jobs_done: jobs} = mcp.server ?? {};
    const restarts = Object.entries(mcp.restarts);
    const asked = button('Restart', () => this.restart(), {kind: 'small', symbol: 'redo', dataset: {keep: 'restart'}});
    return card('PDF server', [
      facts([
        ['Phase', h('span', {class: `pill ${mcp.phase === 'ready' ? 'completed' : mcp.phase === 'starting' ? 'working' : 'failed'}`, text: mcp.phase.replaceAll('_', ' ')})],
        ['Start', `generation ${mcp.generation}${mcp.pid ? `, process ${mcp.pid}` : ''}`],
        ['Memory', mcp.rss_bytes ? size(mcp.rss_bytes) : null],
        ['Restarts', restarts.length ? restarts.map(([why, times]) => `${times} ${why.replaceAll('_', ' ')}`).join(', ') : 'none'],
        ['Replaced workers', Object.entries(replaced).map(([why, times]) => `${times} ${why.replaceAll('_', ' ')}`).join(', ') || 'none'],
        ['Jobs done', jobs],
        ['Page cache', cache ? `${cache.hits} of ${cache.hits + cache.misses} hits, ${size(cache.bytes)}` : null],
        ['Why it does not start', mcp.start_error?.message],
      ]),
      workers ? meter('Workers busy', workers.busy, workers.size, workers.waiting ? `${workers.waiting} waiting` : '', {calm: true}) : null,
      ocr ? meter(`Text recognition (${ocr.engine})`, ocr.workers.busy, ocr.workers.size, ocr.workers.waiting ? `${ocr.workers.waiting} waiting` : '', {calm: true}) : null,
    ], '', asked);
  }

  restart() {
    confirm('Restart the PDF server?', 'Calls in flight are repeated on the new one; it takes about a second.', 'Restart', async () => {
      await post('/admin/mcp/restart', {});
      await this.load();
    });
  }

  tasks({waiting, running}) {
    return card('Tasks', [
      meter('Running', running, Number(this.settings.MAX_CONCURRENT_TASKS)), meter('Waiting', waiting, Number(this.settings.TASK_QUEUE_LIMIT)),
      h('p', {class: 'actions'}, h('a', {class: 'button small', href: '#/tasks?tab=dead', text: 'Dead letters'}), h('a', {class: 'button small', href: '#/tasks?state=FAILED', text: 'Failed tasks'})),
    ]);
  }

  models(llm = {}) {
    const models = Object.entries(llm.models ?? {});
    if (!models.length) return card('Models', [h('p', {class: 'hint', text: 'No model is configured: the embedded engine does all. A key makes one known (GOOGLE_API_KEY_FILE).'})]);
    return card('Models', [h('div', {class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Models'}, h('table', {class: 'grid'},
      h('thead', {}, h('tr', {}, ['Model', 'Breaker', 'Calls a minute'].map((text) => h('th', {scope: 'col', text})))),
      h('tbody', {}, models.map(([model, breaker]) => h('tr', {}, h('th', {scope: 'row', text: model}),
        h('td', {}, h('span', {class: `pill ${{closed: 'completed', open: 'failed', half_open: 'input_required'}[breaker]}`, text: breaker.replace('_', ' ')})),
        h('td', {text: llm.requests_per_minute?.[model] ? `at most ${llm.requests_per_minute[model]}` : 'no limit'})))))),
    llm.key ? h('p', {class: 'fault'}, icon('alert'), llm.key) : null,
    ...Object.values(llm.faults ?? {}).map((words) => h('p', {class: 'hint', text: `Last fault: ${words}`}))]);
  }

  limits({pools, disk, readiness}) {
    const {used_bytes: used, limit_bytes: most} = readiness.details.memory ?? {};
    return card('Limits and pools', [
      facts([['Requests', `${this.settings.RATE_LIMIT} a caller`], ['A document', `${size(Number(this.settings.MAX_PDF_SIZE_KB) * 1024)}, ${this.settings.MAX_PDF_PAGES} pages`], ['A task', `${this.settings.TASK_TIMEOUT} s, ${Number(this.settings.TOKEN_BUDGET).toLocaleString('en')} tokens`]]),
      most ? meter('Memory', used, most, '', {told: size}) : null,
      meter('Disk used', disk.total_bytes - disk.free_bytes, disk.total_bytes, '', {told: size}),
      ...pools.map((pool) => meter(`Connections: ${pool.name}`, pool.in_use, pool.limit, pool.idle ? `${pool.idle} idle` : '')),
    ]);
  }

  hour({every_s: every, kept, gauges, counters}) {
    const all = {...gauges, ...counters};
    const span = Math.min(kept, Math.max(60, ...Object.values(all).map((samples) => samples.length)));
    return card(`Last ${Math.round((every * span) / 60)} minutes`, [h('div', {class: 'sparks'}, SERIES.filter(([name]) => all[name]?.length).map(([name, label, told, kind = '']) => {
      const samples = all[name];
      const grows = name in counters;
      const now = grows ? samples.reduce((sum, one) => sum + one, 0) : samples.at(-1);
      return h('figure', {class: `spark ${kind && now ? kind : ''}`}, h('figcaption', {}, h('span', {text: label}), h('b', {text: told(now)})), sparkline(samples, span, `${label}: ${told(now)} ${grows ? 'in all' : 'now'}, ${told(Math.max(...samples))} at most${grows ? ` in ${every} s` : ''}`));
    })), h('p', {class: 'hint', text: `A sample each ${every} s, an hour of them in the memory of this process.`})], 'whole');
  }

  /** A tab whose content is fetched each time it is opened. */
  table(load) {
    const out = h('div', {});
    fill(out, state('loading', 'Loading'));
    load(out).catch((fault) => fill(out, state(fault.status === 403 ? 'denied' : 'error', fault.status === 403 ? 'This needs the scope admin' : 'That cannot be read', fault.message)));
    return out;
  }

  async quarantine(out) {
    const {quarantine: rows} = await json('/admin/quarantine');
    if (!rows.length) return fill(out, state('empty', 'Nothing is in quarantine', 'A document that ends its reader twice is not opened again until it is released here.'));
    const known = await json('/documents').then((found) => new Map([...found.documents, ...found.uploads].map((row) => [row.sha256, row.filename ?? row.id])), () => new Map());
    return fill(out, grid('Quarantine', ['Document', 'Why', 'Ended its reader', 'Since', ''], rows.map((row) => [
      h('span', {}, known.has(row.sha256) ? h('b', {text: known.get(row.sha256)}) : null, ' ', h('code', {title: row.sha256, text: row.sha256.slice(0, 16)})),
      (row.reason ?? '').replaceAll('_', ' '), `${row.kills} times`, row.at ? ago(row.at * 1000) : '',
      button('Release', () => confirm('Release this document?', 'It is opened again when somebody asks for it.', 'Release', async () => {
        await post(`/admin/quarantine/${row.sha256}/release`, {});
        await this.quarantine(out);
      }), {kind: 'small', 'aria-label': `Release ${known.get(row.sha256) ?? row.sha256.slice(0, 16)}`}),
    ])));
  }

  async configuration(out) {
    await this.readSettings();
    const list = h('div', {});
    const words = h('input', {type: 'search', placeholder: 'Filter', 'aria-label': 'Filter the settings', oninput: () => show()});
    const own = h('input', {type: 'checkbox', id: 'own', onchange: () => show()});
    const show = () => {
      const found = this.rows.filter((row) => (!own.checked || row.source !== 'default') && row.name.toLowerCase().includes(words.value.toLowerCase()));
      fill(list, found.length ? grid('Configuration', ['Setting', 'Value', 'Source'], found.map((row) => [h('code', {text: row.name}), row.value ? h('code', {class: 'setting', text: row.value}) : h('span', {class: 'hint', text: 'empty'}),
        h('span', {class: row.source === 'default' ? 'hint' : 'chip normalised', text: row.source})])) : state('empty', 'No setting is like this'));
    };
    show();
    fill(out, h('div', {class: 'toolbar'}, words, h('label', {class: 'toggle', for: 'own'}, own, ' set by you alone'), h('span', {class: 'hint', text: 'Secrets are masked.'})), list);
  }
}

function card(title, content, kind = '', action = null) {
  return h('section', {class: `card ${kind}`, 'aria-label': title}, h('header', {class: 'cardhead'}, h('h2', {text: title}), action), content.filter(Boolean));
}

function facts(rows) {
  return h('dl', {class: 'reasons'}, rows.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [h('dt', {text: name}), h('dd', {}, value instanceof Node ? value : String(value))]));
}

/** How much of something is used; full is no alarm where that is what it is there for (`calm`). */
function meter(label, used, most, more = '', {told = count, calm = false} = {}) {
  const share = most ? used / most : 0;
  return h('div', {class: 'meter'}, h('p', {}, h('span', {text: label}), h('span', {class: 'facts', text: [`${told(used)} of ${told(most)}`, more].filter(Boolean).join(', ')})),
    h('div', {class: `gauge ${calm ? '' : share > 0.9 ? 'bad' : share > 0.75 ? 'warn' : ''}`, 'aria-hidden': 'true'}, h('i', {style: {width: `${Math.min(100, share * 100)}%`}})));
}

/** A line over so many samples, newest right; time before the first stays empty. */
function sparkline(samples, span, words) {
  const most = Math.max(...samples, 1e-9);
  const at = (value, place) => `${(200 * (span - samples.length + place)) / (span - 1)},${(33 - (31 * value) / most).toFixed(2)}`;
  const line = samples.map(at).join(' ');
  const first = (200 * (span - samples.length)) / (span - 1);
  return svg('svg', {viewBox: '0 0 200 34', preserveAspectRatio: 'none', role: 'img', 'aria-label': words},
    svg('polygon', {points: `${first},34 ${line} 200,34`}), svg('polyline', {points: line}));
}

function grid(label, heads, rows) {
  return h('div', {class: 'wide', tabindex: '0', role: 'region', 'aria-label': label}, h('table', {class: 'grid'},
    h('thead', {}, h('tr', {}, heads.map((text) => h('th', {scope: 'col'}, text || h('span', {class: 'unseen', text: 'Actions'}))))),
    h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell, place) => h(place ? 'td' : 'th', place ? {} : {scope: 'row'}, cell)))))));
}

/** Asks before something is done; a refusal is told in the dialog. */
function confirm(title, words, label, act) {
  const fault = h('p', {class: 'fault', role: 'alert', hidden: true});
  const go = button(label, async () => {
    go.disabled = true;
    try {
      await act();
      dialog.close();
    } catch (refused) {
      fill(fault, icon('alert'), refused.message);
      fault.hidden = false;
      go.disabled = false;
    }
  }, {kind: 'primary'});
  const dialog = h('dialog', {class: 'ask', 'aria-label': title, onclose: () => dialog.remove()}, h('h2', {text: title}), h('p', {text: words}), fault,
    h('p', {class: 'actions'}, go, button('Leave it', () => dialog.close())));
  document.body.append(dialog);
  dialog.showModal();
}
