// Try it: a PDF of one's own or of the library, what to extract, what is known before it runs, the request as code.
import {about, json, request, rpc, Refused} from './api.js';
import {button, fill, h, icon, state, tabs} from './dom.js';
import {spoken} from './result.js';
import {curl, python} from './snippet.js';

const TYPES = [
  'invoice', 'credit_note', 'receipt', 'purchase_order', 'bill_of_lading', 'air_waybill', 'packing_list', 'customs_declaration',
  'advertising_order', 'contract', 'bank_statement', 'resume', 'generic_form',
];
const GRADES = {text: 'text', image: 'scan, no text', mixed: 'partly scanned', empty: 'empty', unreadable: 'unreadable'};

export async function open({main}) {
  const view = new Try(main);
  await view.start();
  return view;
}

/** 2312 as "2.3 KB". */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log(bytes) / Math.log(1024)));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['B', 'KB', 'MB', 'GB'][power]}`;
}

class Try {
  constructor(main) {
    this.main = main;
    this.chosen = []; // {part, name, id, info?, fault?}
    this.type = null;
    this.mode = 'type';
  }

  async start() {
    this.drop = this.dropzone();
    this.cards = h('div', {class: 'cards', 'aria-live': 'polite'});
    this.library = h('div', {class: 'library'});
    this.fault = h('p', {class: 'fault', role: 'alert', hidden: true});
    this.snippets = h('div', {class: 'snippets'});
    this.send = button('Extract', () => this.extract(), {kind: 'primary', disabled: true});
    const wish = this.wish();
    fill(this.main, h('div', {class: 'try'},
      h('section', {class: 'card', 'aria-labelledby': 'try-what'}, h('h2', {id: 'try-what', text: 'Documents'}), this.drop, this.cards, this.library),
      h('div', {class: 'column'},
        h('section', {class: 'card', 'aria-labelledby': 'try-wish'}, h('h2', {id: 'try-wish', text: 'What to extract'}), wish, this.options(),
          this.fault, h('p', {class: 'actions'}, this.send, h('span', {class: 'hint', text: 'Nothing runs, and nothing is paid for, before.'}))),
        h('details', {class: 'card', ontoggle: () => this.code()}, h('summary', {text: 'The same request as curl and Python'}), this.snippets))));
    this.list();
  }

  dropzone() {
    const input = h('input', {type: 'file', accept: 'application/pdf,.pdf', multiple: true, class: 'unseen', id: 'file', onchange: () => { this.take(input.files); input.value = ''; }});
    const zone = h('div', {class: 'drop',
      ondragover: (event) => { event.preventDefault(); zone.classList.add('over'); },
      ondragleave: () => zone.classList.remove('over'),
      ondrop: (event) => { event.preventDefault(); zone.classList.remove('over'); this.take(event.dataTransfer.files); }},
    icon('upload'), h('p', {}, 'Drop PDFs here, or ', input, h('label', {class: 'button small', for: 'file', text: 'choose files'})));
    return zone;
  }

  take(files) {
    for (const file of files) this.upload(file);
  }

  async upload(file) {
    const entry = {name: file.name, size: file.size, key: `file:${file.name}:${file.size}:${file.lastModified}`};
    if (this.chosen.some((one) => one.key === entry.key)) return;
    this.chosen.push(entry);
    this.draw();
    try {
      const answer = await request(`/documents?filename=${encodeURIComponent(file.name)}`, {method: 'POST', headers: {'Content-Type': 'application/pdf'}, body: file});
      if (!answer.ok) throw new Refused(await answer.json(), answer.status);
      const kept = await answer.json();
      Object.assign(entry, {id: kept.id, sha256: kept.sha256, part: {url: kept.url, filename: file.name, mediaType: 'application/pdf'}});
      await this.look(entry);
    } catch (fault) {
      entry.fault = fault;
      this.draw();
    }
  }

  async pick(row) {
    const at = this.chosen.findIndex((one) => one.key === row.id);
    if (at >= 0) this.chosen.splice(at, 1);
    else {
      const entry = {key: row.id, id: row.id, name: row.filename ?? row.id, size: row.size_bytes, sha256: row.sha256, document: row.id.startsWith('upload/') ? null : row.id};
      if (!entry.document) entry.part = {url: row.url, filename: row.filename ?? 'document.pdf', mediaType: 'application/pdf'};
      this.chosen.push(entry);
      this.look(entry);
    }
    this.draw();
  }

  async look(entry) {
    try {
      entry.info = await about(entry.id);
    } catch (fault) {
      entry.fault = fault;
    }
    this.draw();
  }

  draw() {
    fill(this.cards, this.chosen.map((entry) => this.entry(entry)));
    for (const row of this.library.querySelectorAll('[data-id]')) row.setAttribute('aria-pressed', String(this.chosen.some((one) => one.key === row.dataset.id)));
    const ready = this.chosen.filter((one) => one.part || one.document);
    const broken = this.chosen.some((one) => one.fault && !locked(one.fault));
    this.send.disabled = !ready.length || ready.length !== this.chosen.length || broken;
    this.code();
  }

  entry(entry) {
    const {info, fault} = entry;
    const twice = this.chosen.some((one) => one !== entry && one.sha256 && one.sha256 === entry.sha256);
    const facts = info ? [`${info.pages} page${info.pages === 1 ? '' : 's'}`, size(info.size_bytes), info.language, `PDF ${info.pdf_version}`] : [size(entry.size ?? 0)];
    const notes = info ? warnings(info) : [];
    if (twice) notes.push(['warn', 'the same content twice']);
    return h('article', {class: 'entry', 'aria-label': entry.name},
      h('header', {}, icon('file'), h('b', {text: entry.name}), h('span', {class: 'space'}),
        button('', () => { this.chosen.splice(this.chosen.indexOf(entry), 1); this.draw(); }, {kind: 'bare', symbol: 'cross', 'aria-label': `Remove ${entry.name}`})),
      h('p', {class: 'facts', text: facts.filter(Boolean).join(' · ')}),
      info ? grades(info) : null,
      !info && !fault ? h('p', {class: 'hint'}, h('span', {class: 'spinner tiny', 'aria-hidden': 'true'}), ' looking at it') : null,
      notes.length ? h('p', {class: 'chips'}, notes.map(([kind, words]) => h('span', {class: `chip ${kind}`, text: words}))) : null,
      fault && locked(fault) ? h('label', {class: 'inline'}, h('span', {class: 'chip warn', text: 'locked'}), h('input', {type: 'password', placeholder: 'Password', 'aria-label': `Password of ${entry.name}`, autocomplete: 'off', oninput: (event) => { entry.password = event.target.value; }})) : null,
      fault && !locked(fault) ? h('p', {class: 'fault', role: 'alert'}, icon('alert'), fault.message) : null);
  }

  async list() {
    fill(this.library, state('loading', 'Reading the library'));
    try {
      const found = await json('/documents');
      this.rows = [...found.uploads, ...found.documents];
      this.more = found.next_cursor;
    } catch (fault) {
      return fill(this.library, state(fault.status === 403 ? 'denied' : 'error', fault.status === 403 ? 'This key may not see the library' : 'The library cannot be read', fault.message, button('Try again', () => this.list())));
    }
    const search = h('input', {type: 'search', placeholder: 'Filter the library', 'aria-label': 'Filter the library', oninput: () => this.rowsShown(search.value)});
    this.rowList = h('ul', {class: 'rows'});
    fill(this.library, search, this.rowList);
    this.rowsShown('');
    return null;
  }

  rowsShown(words) {
    const found = this.rows.filter((row) => (row.filename ?? row.id).toLowerCase().includes(words.toLowerCase()));
    fill(this.rowList, found.slice(0, 200).map((row) => h('li', {}, h('button', {type: 'button', class: 'pick', dataset: {id: row.id}, 'aria-pressed': String(this.chosen.some((one) => one.key === row.id)), disabled: Boolean(row.problem), onclick: () => this.pick(row)},
      icon('file'), h('span', {class: 'pickname', text: row.filename ?? row.id}), row.id.startsWith('upload/') ? h('span', {class: 'chip', text: 'own upload'}) : null,
      h('span', {class: 'facts', text: row.problem ? row.problem.replaceAll('_', ' ') : size(row.size_bytes)})))),
    found.length ? null : h('li', {class: 'hint pad', text: this.rows.length ? 'Nothing of this name.' : 'The library is empty. Drop a PDF above.'}),
    this.more && !words ? h('li', {}, button('Show more', () => this.further(), {kind: 'link'})) : null);
  }

  async further() {
    const found = await json(`/documents?cursor=${encodeURIComponent(this.more)}`);
    this.rows.push(...found.documents);
    this.more = found.next_cursor;
    this.rowsShown('');
  }

  wish() {
    const chips = h('div', {class: 'types', role: 'radiogroup', 'aria-label': 'Document type'}, [null, ...TYPES].map((type) => h('label', {class: 'type'},
      h('input', {type: 'radio', name: 'type', class: 'unseen', checked: type === null, onchange: () => { this.type = type; this.code(); }}),
      h('span', {text: type ? spoken(type) : 'Find out'}))));
    this.fields = h('textarea', {rows: '4', id: 'fields', placeholder: 'invoice_number, total, due_date', oninput: () => this.code(), spellcheck: 'false'});
    this.schema = h('textarea', {rows: '10', id: 'schema', class: 'code', spellcheck: 'false', placeholder: '{"type": "object", "properties": {"total": {"type": "string"}}}', oninput: () => { this.judge(); this.code(); }});
    this.verdict = h('p', {class: 'hint', role: 'status', text: 'A JSON Schema of the wanted object; references within it only.'});
    this.words = h('textarea', {rows: '3', id: 'words', placeholder: 'The invoice number and the total, please', oninput: () => this.code()});
    const load = h('input', {type: 'file', accept: '.json,application/json', class: 'unseen', id: 'schemafile', onchange: async () => { this.schema.value = await load.files[0].text(); this.judge(); this.code(); }});
    const made = tabs([
      {id: 'type', label: 'Document type', show: () => chips},
      {id: 'fields', label: 'Fields', show: () => h('div', {}, h('label', {for: 'fields', text: 'Names, with commas or one a line; a type may follow a colon (total: amount)'}), this.fields)},
      {id: 'schema', label: 'JSON Schema', show: () => h('div', {}, h('label', {class: 'unseen', for: 'schema', text: 'JSON Schema'}), this.schema, h('p', {class: 'actions'}, this.verdict, h('span', {class: 'space'}), load, h('label', {class: 'button small', for: 'schemafile', text: 'Load a file'})))},
      {id: 'words', label: 'In words', show: () => h('div', {}, h('label', {for: 'words', text: 'As you would ask a person'}), this.words)},
    ], 'How to say it', 'type', (id) => { this.mode = id; this.code?.(); });
    return h('div', {class: 'wish'}, made.bar, made.panel);
  }

  judge() {
    try {
      const schema = JSON.parse(this.schema.value);
      const names = Object.keys(schema.properties ?? {});
      this.verdict.textContent = `${names.length} propert${names.length === 1 ? 'y' : 'ies'}${names.length ? `: ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', …' : ''}` : ''}`;
      this.verdict.className = 'hint';
    } catch (fault) {
      this.verdict.textContent = this.schema.value.trim() ? `No JSON yet: ${fault.message}` : 'A JSON Schema of the wanted object; references within it only.';
      this.verdict.className = 'hint warn';
    }
  }

  options() {
    const select = (label, name, values) => {
      const made = h('select', {id: `option-${name}`, onchange: () => this.code()}, values.map(([value, words]) => h('option', {value, text: words})));
      this[name] = made;
      return h('p', {class: 'option'}, h('label', {for: `option-${name}`, text: label}), made);
    };
    this.pages = h('input', {type: 'text', id: 'option-pages', placeholder: 'all', size: '8', oninput: () => this.code()});
    return h('div', {class: 'options'},
      select('How sure', 'strictness', [['balanced', 'balanced'], ['precise', 'precise: doubtful stays empty'], ['eager', 'eager: give what there is']]),
      select('Engine', 'engine', [['auto', 'as configured'], ['embedded', 'embedded: no model sees it'], ['model', 'model']]),
      h('p', {class: 'option'}, h('label', {for: 'option-pages', text: 'Pages'}), this.pages));
  }

  /** The message's parts, as A2A has them. Raises SyntaxError for a schema that is no JSON. */
  parts({secret = false} = {}) {
    const data = {};
    const documents = this.chosen.filter((one) => one.document).map((one) => one.document);
    if (documents.length) data.documents = documents;
    if (this.mode === 'type' && this.type) data.document_type = this.type;
    if (this.mode === 'fields') data.fields = named(this.fields.value);
    if (this.mode === 'schema') data.schema = JSON.parse(this.schema.value);
    if (this.strictness.value !== 'balanced') data.strictness = this.strictness.value;
    if (this.engine.value !== 'auto') data.mode = this.engine.value;
    if (this.pages.value.trim()) data.pages = this.pages.value.trim();
    const password = this.chosen.find((one) => one.password)?.password;
    if (password) data.password = secret ? password : '…';
    const text = this.mode === 'words' ? this.words.value.trim() : this.mode === 'type' && !this.type ? 'Extract the data of this document.' : '';
    return [...(text ? [{text}] : []), ...this.chosen.filter((one) => one.part).map((one) => one.part), ...(Object.keys(data).length ? [{data}] : [])];
  }

  code() {
    if (!this.snippets?.closest('details')?.open) return;
    try {
      fill(this.snippets, curl(this.parts()), python(this.parts()));
    } catch (fault) {
      fill(this.snippets, h('p', {class: 'hint pad', text: `Not yet: ${fault.message}`}));
    }
  }

  async extract() {
    this.fault.hidden = true;
    this.send.disabled = true;
    try {
      const message = {messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: this.parts({secret: true})};
      const {task} = await rpc('SendMessage', {message, configuration: {returnImmediately: true}});
      location.hash = `#/task/${task.id}`;
    } catch (fault) {
      fill(this.fault, icon('alert'), [fault.message, fault.hint].filter(Boolean).join(' '));
      this.fault.hidden = false;
      this.send.disabled = false;
    }
  }
}

function locked(fault) {
  return fault.code === 'password_required' || fault.code === 'wrong_password';
}

/** `total: amount, number` as fields. */
function named(text) {
  return text.split(/[,\n]/).map((one) => one.trim()).filter(Boolean).map((one) => {
    const [name, type] = one.split(':').map((word) => word.trim());
    return {name: name.replaceAll(/\s+/g, '_'), ...(type ? {type} : {})};
  });
}

/** How many pages have text, are scans, are empty. */
function grades(info) {
  const counted = {};
  for (const grade of Object.values(info.page_grades ?? {})) counted[grade] = (counted[grade] ?? 0) + 1;
  const total = Object.values(counted).reduce((all, one) => all + one, 0);
  return h('p', {class: 'grades'}, h('span', {class: 'gradebar', 'aria-hidden': 'true'}, Object.entries(counted).map(([grade, pages]) => h('i', {class: `grade-${grade}`, style: {flex: String(pages)}}))),
    h('span', {class: 'facts', text: Object.entries(counted).map(([grade, pages]) => `${pages === total ? 'all' : pages} ${GRADES[grade] ?? grade.replaceAll('_', ' ')}`).join(', ')}));
}

function warnings(info) {
  const found = [];
  if (info.encryption) found.push(['warn', 'encrypted']);
  if (info.signatures) found.push(['', `${info.signatures} signature${info.signatures === 1 ? '' : 's'}`]);
  if (info.form) found.push(['', 'form fields']);
  for (const one of info.attachments ?? []) found.push([/xml$/i.test(one.name ?? '') ? 'passed' : '', `holds ${one.name ?? 'a file'}`]);
  if (Object.values(info.page_grades ?? {}).some((grade) => grade !== 'text' && grade !== 'empty')) found.push(['warn', 'pages without text need recognition']);
  if (info.truncated) found.push(['warn', 'looked at in part']);
  return found;
}
