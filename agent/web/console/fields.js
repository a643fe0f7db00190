// The list of fields beside the pages: value, evidence, checks, and why. Shared by the console and the report.
import {button, h, icon} from './dom.js';
import {differences, fieldOf, fieldsOf, MATCHES, REASONS, SOURCES, spoken, stated, sum, tablesOf, valueAt} from './result.js';

const ORDER = ['Document', 'Parties', 'Dates', 'Amounts', 'Payment'];
const LEVELS = {high: 3, medium: 2, low: 1};

export function shown(value) {
  if (value === null) return '—';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Three bars; the word stands beside them for those who do not see. */
export function confidence(word) {
  const bars = [1, 2, 3].map((at) => h('i', {class: at <= (LEVELS[word] ?? 0) ? 'on' : ''}));
  return h('span', {class: `confidence ${word ?? ''}`, title: `${word} confidence`},
    h('span', {'aria-hidden': 'true', class: 'bars'}, bars), h('span', {class: 'unseen', text: `${word} confidence`}));
}

export function check(name, passed) {
  return h('span', {class: `chip check ${passed ? 'passed' : 'failed'}`, title: `${spoken(name)}: ${passed ? 'holds' : 'does not hold'}`},
    icon(passed ? 'check' : 'cross'), h('span', {text: spoken(name).toLowerCase()}),
    h('span', {class: 'unseen', text: passed ? ' holds' : ' does not hold'}));
}

export class FieldList {
  /** `links` are the shared `{light, select, point}`; `decide(field)` gives the review controls of a field, if any. */
  constructor(result, links, decide = null) {
    this.links = links;
    this.decide = decide;
    this.rows = new Map();
    this.fields = fieldsOf(result);
    const located = this.fields.filter((f) => f.value !== null && f.level !== 'unlocated');
    const apart = this.fields.filter((f) => f.value !== null && f.level === 'unlocated');
    const empty = this.fields.filter((f) => f.value === null);
    this.element = h('div', {class: 'fields'},
      legend(this.fields),
      differing(result, links),
      ORDER.map((name) => this.group(name, located.filter((f) => f.group === name))),
      this.group('Not on the pages', apart, 'Known from the file itself or read by the model; nothing printed says so.'),
      this.group('Left empty', empty, 'A wrong value is worse than none.'),
      tablesOf(result).map((table) => tableHint(table, links)),
      this.fields.length || tablesOf(result).length ? null : h('p', {class: 'hint', text: 'The result holds no fields.'}));
    this.ordered = [...this.rows.keys()];
  }

  group(name, fields, hint = null) {
    if (!fields.length) return null;
    const id = `group-${name.toLowerCase().replaceAll(' ', '-')}`;
    return h('section', {class: 'group', 'aria-labelledby': id},
      h('h3', {id, text: name, elementtiming: 'fields'}), hint ? h('p', {class: 'hint', text: hint}) : null,
      h('ul', {}, fields.map((field) => this.row(field))));
  }

  row(field) {
    const why = h('div', {class: 'why', hidden: true, id: `why-${this.rows.size}`});
    const {proof} = field;
    const verdict = h('span', {class: 'verdict', hidden: true});
    const head = h('button', {
      type: 'button', class: 'row', 'aria-expanded': 'false', 'aria-controls': why.id,
      onclick: () => this.links.select(field.pointer),
    },
    h('span', {class: 'label', text: field.label}),
    h('span', {class: `value ${field.value === null ? 'null' : ''}`, text: shown(field.value)}),
    h('span', {class: 'chips'},
      field.value === null ? h('span', {class: `chip reason ${field.doubtful ? 'warn' : ''}`, text: (proof.reason ?? 'not found').replaceAll('_', ' ')}) : null,
      proof.conflicts?.length ? h('span', {class: 'chip warn', text: 'sources differ'}) : null,
      proof.match ? h('span', {class: `chip match ${proof.match}`, text: proof.match}) : null,
      proof.page ? h('span', {class: 'chip leaf', text: `p ${proof.page}`}) : null,
      proof.confidence ? confidence(proof.confidence) : null),
    field.checks.length ? h('span', {class: 'rowchecks'}, field.checks.map(([name, passed]) => check(name, passed))) : null, verdict);
    const item = h('li', {
      class: `field ${field.level} ${field.doubtful ? 'doubtful' : ''}`, dataset: {pointer: field.pointer},
      onpointerenter: () => this.links.light([field.pointer]), onpointerleave: () => this.links.light([]),
      onfocusin: () => this.links.light([field.pointer]),
    }, head, why);
    this.rows.set(field.pointer, {field, item, head, why, verdict});
    return item;
  }

  light(pointers) {
    for (const [own, row] of this.rows) row.item.classList.toggle('lit', pointers.includes(own));
  }

  /** Opens a field's reasons and brings it into view. */
  select(pointer, {focus = false} = {}) {
    for (const [own, row] of this.rows) {
      const chosen = own === pointer;
      row.item.classList.toggle('chosen', chosen);
      row.head.setAttribute('aria-expanded', String(chosen));
      row.why.hidden = !chosen;
      if (!chosen) row.why.replaceChildren();
      else {
        row.why.replaceChildren(reasons(row.field, this.links), ...(this.decide ? [this.decide(row.field)] : []));
        if (focus) row.head.focus({preventScroll: true});
        row.item.scrollIntoView({block: 'nearest'});
      }
    }
  }

  /** The field `step` places on from `pointer`; only doubtful ones when asked. */
  next(pointer, step, {only = null} = {}) {
    const among = only ? this.ordered.filter((own) => only(this.rows.get(own).field)) : this.ordered;
    if (!among.length) return null;
    const at = this.ordered.indexOf(pointer);
    if (only) return among.find((own) => this.ordered.indexOf(own) > at) ?? among[0];
    return among[at < 0 ? 0 : Math.min(among.length - 1, Math.max(0, at + step))];
  }

  field(pointer) {
    return this.rows.get(pointer)?.field ?? null;
  }
}

function legend(fields) {
  const counted = (level) => fields.filter((f) => f.level === level).length;
  const rows = [['exact', 'exact'], ['normalised', 'normalised'], ['fuzzy', 'fuzzy'], ['unlocated', 'not on page'], ['none', 'empty']];
  return h('p', {class: 'legend'}, rows.filter(([level]) => counted(level)).map(([level, word]) =>
    h('span', {class: `key ${level}`}, h('i', {'aria-hidden': 'true'}), `${counted(level)} ${word}`)));
}

/** What stands behind a value, in words. */
export function reasons(field, links) {
  const {proof} = field;
  const rows = [];
  const row = (name, ...content) => rows.push(h('dt', {text: name}), h('dd', {}, content));
  if (field.value === null) row('Why empty', REASONS[proof.reason] ?? 'Not found in the document');
  if (proof.text) row('Printed as', h('q', {text: proof.text}));
  if (proof.match) row('Match', MATCHES[proof.match], proof.match === 'normalised' ? h('span', {class: 'hint', text: ' (same value)'}) : null);
  if (proof.source) row('Read from', SOURCES[proof.source] ?? proof.source, proof.page ? `, page ${proof.page}` : '');
  if (proof.confidence) row('Confidence', proof.confidence);
  if (field.checks.length) row('Checks', h('span', {class: 'chips'}, field.checks.map(([name, passed]) => check(name, passed))));
  if (proof.conflicts?.length) row('Others say', others(proof.conflicts, links));
  if (proof.candidates?.length) row('Candidates', others(proof.candidates, links));
  row('Place', h('code', {text: field.pointer}));
  return h('dl', {class: 'reasons'}, rows);
}

function others(list, links) {
  return h('ul', {class: 'others'}, list.map((one) => h('li', {},
    h('span', {class: 'value', text: shown(one.value ?? null)}),
    h('span', {class: 'hint', text: ` ${SOURCES[one.source] ?? one.source ?? ''}`}),
    one.page && one.boxes?.length ? button(`page ${one.page}`, () => links.point(one.page, one.boxes), {kind: 'link'}) : null)));
}

/** What two sources say, side by side. */
function differing(result, links) {
  const found = differences(result);
  if (!found.length) return null;
  return h('section', {class: 'group differing', 'aria-labelledby': 'group-differing'},
    h('h3', {id: 'group-differing', text: 'Sources differ'}),
    h('table', {class: 'grid'},
      h('thead', {}, h('tr', {}, ['Field', 'Given', 'Another source'].map((text) => h('th', {scope: 'col', text})))),
      h('tbody', {}, found.map(({pointer, proof, other}) => h('tr', {onclick: () => links.select(pointer)},
        h('th', {scope: 'row', text: pointer.slice(1).split('/').map(spoken).join(' · ')}),
        h('td', {}, h('span', {class: 'value', text: shown(valueAt(result.values, pointer))}), h('span', {class: 'hint', text: ` ${SOURCES[proof.source] ?? ''}`})),
        h('td', {}, others([other], links)))))));
}

function tableHint(table, links) {
  return h('section', {class: 'group'}, h('h3', {text: table.label}),
    button(`${table.rows.length} row${table.rows.length === 1 ? '' : 's'}: open the table`, () => links.table(table.pointer), {kind: 'link'}));
}

/** Rows over all pages as one table; a page mark where the page changes; the sum beside what is stated. */
export function sheets(result, links) {
  const tables = tablesOf(result);
  if (!tables.length) return h('p', {class: 'hint pad', text: 'The result holds no rows.'});
  return h('div', {class: 'sheets'}, tables.map((table) => sheet(result, table, links)));
}

function sheet(result, table, links) {
  let page = null;
  const body = table.rows.flatMap((row, at) => {
    const cells = table.columns.map((name) => fieldOf(result, `${table.pointer}/${at}/${name}`, row[name] ?? null));
    const own = cells.find((cell) => cell.proof.page)?.proof.page ?? null;
    const mark = own !== null && own !== page ? [h('tr', {class: 'pagemark'}, h('td', {colspan: String(table.columns.length + 1), text: `Page ${own}`}))] : [];
    page = own ?? page;
    return [...mark, h('tr', {}, h('th', {scope: 'row', class: 'number', text: String(at + 1)}), cells.map((cell) => sheetCell(cell, links)))];
  });
  const numeric = table.columns.map((name) => table.rows.every((row) => /^-?[\d.]+$/.test(String(row[name] ?? '0'))));
  return h('section', {class: 'group', dataset: {table: table.pointer}},
    h('h3', {text: `${table.label} · ${table.rows.length}`}),
    h('div', {class: 'wide', tabindex: '0', role: 'region', 'aria-label': table.label}, h('table', {class: 'grid sheet'},
      h('thead', {}, h('tr', {}, h('th', {scope: 'col', text: '#'}), table.columns.map((name, at) => h('th', {scope: 'col', class: numeric[at] ? 'numeric' : '', text: spoken(name)})))),
      h('tbody', {}, body),
      h('tfoot', {}, foot(result, table)))));
}

function sheetCell(cell, links) {
  const numeric = typeof cell.value === 'number' || /^-?\d+(\.\d+)?$/.test(String(cell.value));
  return h('td', {
    class: `cell ${cell.level} ${numeric ? 'numeric' : ''} ${cell.doubtful ? 'doubtful' : ''}`, dataset: {pointer: cell.pointer},
    tabindex: '0', title: cell.value === null ? REASONS[cell.proof.reason] ?? null : `${MATCHES[cell.proof.match] ?? ''}${cell.proof.text ? `: ${cell.proof.text}` : ''}`,
    onpointerenter: () => links.light([cell.pointer]), onpointerleave: () => links.light([]),
    onclick: () => links.select(cell.pointer), onfocus: () => links.light([cell.pointer]),
    onkeydown: (event) => { if (event.key === 'Enter') links.select(cell.pointer); },
  }, shown(cell.value));
}

function foot(result, table) {
  const totals = table.columns.map((name) => (/amount|total/.test(name) ? sum(table.rows.map((row) => row[name] ?? null)) : null));
  const line = stated(result.values, totals.findLast((total) => total !== null) ?? null);
  return [
    h('tr', {}, h('th', {scope: 'row', text: 'Σ'}), totals.map((total) => h('td', {class: 'numeric total', text: total ?? ''}))),
    line ? h('tr', {}, h('td', {colspan: String(table.columns.length + 1), class: 'numeric'},
      h('span', {class: `chip check ${line.agrees ? 'passed' : 'failed'}`}, icon(line.agrees ? 'check' : 'cross'),
        `${line.agrees ? 'the sum is the stated' : 'differs from the stated'} ${spoken(line.name).toLowerCase()} ${line.value}`))) : null,
  ].filter(Boolean);
}
