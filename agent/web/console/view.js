// A result on its pages: viewer left, tabs right, both sides lit together. The console's task view and the report are this.
import {fill, h, icon, tabs} from './dom.js';
import {FieldList, reasons, sheets} from './fields.js';
import {doubtful, fieldOf, leaves, valueAt} from './result.js';
import {Viewer} from './viewer.js';

export class ResultView {
  /** `extra` are further tabs; `review` are a person's decisions on it; `picked` hears the selected pointer. */
  constructor({result, picture, sizes = {}, extra = [], review = null, picked = () => {}}) {
    this.result = result;
    this.chosen = null;
    this.picked = picked;
    const links = {
      light: (pointers) => this.light(pointers), select: (pointer) => this.select(pointer),
      point: (page, boxes) => this.viewer.point(page, boxes), table: () => this.tabs.open('table'),
    };
    this.viewer = new Viewer({
      pages: result.document.pages ?? 1, sizes, picture, named: result.document.id, onpick: links.select, onlight: links.light,
    });
    this.viewer.setMarks(marksOf(result));
    this.review = review;
    this.links = links;
    this.list = new FieldList(result, links, review ? (field) => review.control(field) : null);
    this.sheet = sheets(result, links);
    this.cellwhy = h('div', {class: 'cellwhy', 'aria-live': 'polite'});
    const rows = this.sheet.querySelectorAll('tbody tr:not(.pagemark)').length;
    this.tabs = tabs([
      {id: 'fields', label: 'Fields', count: this.list.fields.length, show: () => this.list.element},
      {id: 'table', label: 'Table', count: rows, show: () => [this.sheet, this.cellwhy]},
      {id: 'json', label: 'JSON', show: () => json(result)},
      ...extra,
    ], 'Views of the result', 'fields');
    this.element = h('div', {class: 'result'}, this.viewer.element,
      h('section', {class: 'side', 'aria-label': 'Result'}, this.tabs.bar, this.tabs.panel));
    this.strip = warnings(result, (page) => this.viewer.go(page));
    review?.attach(this);
  }

  light(pointers) {
    this.viewer.light(pointers);
    this.list.light(pointers);
    for (const cell of this.sheet.querySelectorAll('.cell')) cell.classList.toggle('lit', pointers.includes(cell.dataset.pointer));
  }

  select(pointer, {focus = false} = {}) {
    this.chosen = pointer;
    if (this.list.rows.has(pointer)) {
      if (!this.list.element.isConnected) this.tabs.open('fields');
    } else if (!this.sheet.isConnected && pointer) this.tabs.open('table');
    this.viewer.select(pointer);
    this.list.select(pointer, {focus});
    for (const cell of this.sheet.querySelectorAll('.cell')) {
      const chosen = cell.dataset.pointer === pointer;
      cell.classList.toggle('chosen', chosen);
      if (chosen) cell.scrollIntoView({block: 'nearest'});
    }
    this.explain(pointer);
    this.picked(pointer);
  }

  /** A cell's reasons stand below its table. */
  explain(pointer) {
    const cell = [...this.sheet.querySelectorAll('.cell')].find((one) => one.dataset.pointer === pointer);
    if (!cell) return fill(this.cellwhy);
    const field = fieldOf(this.result, pointer, valueAt(this.result.values, pointer));
    return fill(this.cellwhy, h('h3', {text: field.label}), reasons(field, this.links), this.review?.control(field));
  }

  /** Marks the cells that were decided: pointers and how. */
  mark(verdicts) {
    for (const cell of this.sheet.querySelectorAll('.cell')) cell.dataset.verdict = verdicts.get(cell.dataset.pointer) ?? '';
  }

  /** With a review a, e, x, z too. j, k, n: the next field, the one before, the next doubtful one. True when the key was one of them. */
  key(name) {
    const moves = {j: () => this.list.next(this.chosen, 1), k: () => this.list.next(this.chosen, -1), n: () => this.list.next(this.chosen, 1, {only: (field) => field.doubtful && !this.review?.settled.has(field.pointer)})};
    if (!moves[name]) return this.review?.key(name) ?? false;
    const next = moves[name]();
    if (next) this.select(next, {focus: true});
    return true;
  }

  close() {
    this.viewer.close();
  }
}

/** A mark for every located value, cells of tables included. */
export function marksOf(result) {
  return leaves(result.values)
    .filter(([pointer, value]) => value !== null && result.evidence[pointer]?.page)
    .map(([pointer, value]) => {
      const {page, boxes, page_size: size} = result.evidence[pointer];
      const {label, level} = fieldOf(result, pointer, value);
      return {pointer, label, level: doubtful(value, result.evidence[pointer]) ? `${level} doubtful` : level, page, boxes, page_size: size};
    });
}

function warnings(result, go) {
  const failed = (result.checks ?? []).filter((one) => !one.passed);
  const rows = [
    ...failed.map((one) => h('li', {}, icon('cross'), h('b', {text: one.name.replaceAll('_', ' ')}), h('span', {text: ' does not hold'}))),
    ...(result.warnings ?? []).map((one) => h('li', {}, icon('alert'), h('b', {text: one.code.replaceAll('_', ' ')}), h('span', {text: ` ${one.message}`}),
      one.page ? h('button', {type: 'button', class: 'button link', onclick: () => go(one.page), text: `page ${one.page}`}) : null)),
  ];
  return rows.length ? h('ul', {class: 'warnings', 'aria-label': 'Warnings'}, rows) : null;
}

/** JSON with its parts told apart by colour. */
export function json(value) {
  const text = JSON.stringify(value, null, 2);
  const out = h('pre', {class: 'code', tabindex: '0'});
  const pattern = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\b\d[\d.eE+-]*/g;
  if (text.length > 200_000) return fill(out, text); // colours are not worth ten thousand elements
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    out.append(text.slice(from, found.index));
    const kind = found[2] ? 'name' : found[1] ? 'text' : found[3] ? 'word' : 'number';
    out.append(h('span', {class: `json-${kind}`, text: found[1] ?? found[0]}), found[2] ?? '');
    from = found.index + found[0].length;
  }
  out.append(text.slice(from));
  return out;
}
