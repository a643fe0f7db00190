// Decisions on the values of one result: accepted, corrected, rejected, taken back; kept by the service at once.
import {json, post} from './api.js';
import {button, fill, h, icon} from './dom.js';
import {shown} from './fields.js';
import {doubtful, leaves} from './result.js';

const WORDS = {accept: 'Accepted', correct: 'Corrected to', reject: 'Rejected: it stays empty'};

/** What was said of a task so far; null for a key that may not review. */
export async function decisions(task) {
  try {
    return (await json(`/reviews/${task}`)).decisions;
  } catch (fault) {
    if (fault.status === 403) return null;
    throw fault;
  }
}

export class Review {
  /** `changed` hears all that was said of the task after each decision. */
  constructor(task, {result, artifact, part}, said, changed) {
    Object.assign(this, {task, result, artifact, part, changed});
    this.bar = h('div', {class: 'reviewbar'});
    this.fault = h('p', {class: 'fault', role: 'alert', hidden: true});
    this.take(said);
  }

  /** The last decision on each value counts. */
  take(said) {
    this.settled = new Map();
    for (const one of said.filter((own) => own.artifact === this.artifact && own.part === this.part)) {
      if (one.verdict === 'undo') this.settled.delete(one.pointer);
      else this.settled.set(one.pointer, one);
    }
  }

  attach(view) {
    this.view = view;
    view.list.element.prepend(this.bar);
    this.draw();
  }

  get waiting() {
    return leaves(this.result.values).filter(([pointer, value]) => doubtful(value, this.result.evidence[pointer] ?? {}) && !this.settled.has(pointer)).map(([pointer]) => pointer);
  }

  draw() {
    const {waiting} = this;
    const rest = leaves(this.result.values).filter(([pointer]) => !this.settled.has(pointer));
    fill(this.bar, waiting.length
      ? h('span', {class: 'chip warn', text: `${waiting.length} to look at`})
      : h('span', {class: 'chip passed'}, icon('check'), 'nothing left to look at'),
    this.settled.size ? h('span', {class: 'hint', text: `${this.settled.size} decided`}) : null, h('span', {class: 'space'}),
    rest.length && !waiting.length ? button('Accept all others', () => this.send(rest.map(([pointer]) => ({pointer, verdict: 'accept'}))), {kind: 'small', title: 'Every other value is right: the result becomes a whole case'}) : null,
    waiting.length ? button('Next', () => this.view.key('n'), {kind: 'small', title: 'Next doubtful field (n)'}) : null, this.fault);
    for (const [pointer, row] of this.view.list.rows) {
      const said = this.settled.get(pointer);
      row.verdict.hidden = !said;
      row.verdict.className = `verdict ${said?.verdict ?? ''}`;
      row.verdict.textContent = said ? `${WORDS[said.verdict]}${said.verdict === 'correct' ? ` ${shown(said.new)}` : ''} · ${said.by}` : '';
      row.item.classList.toggle('settled', Boolean(said));
    }
    this.view.mark(new Map([...this.settled].map(([pointer, said]) => [pointer, said.verdict])));
  }

  /** The buttons of one field, and the form when it is being corrected. */
  control(field) {
    const said = this.settled.get(field.pointer);
    const out = h('div', {class: 'decide', role: 'group', 'aria-label': `Decide on ${field.label}`});
    const buttons = () => fill(out, h('p', {class: 'actions'},
      button('Accept', () => this.say(field.pointer, 'accept'), {kind: 'small', symbol: 'check', title: 'It is right (a)'}),
      button('Correct', () => edit(), {kind: 'small', symbol: 'pen', title: 'Give the right value (e)'}),
      button('Reject', () => this.say(field.pointer, 'reject'), {kind: 'small', symbol: 'cross', title: 'The document holds no such value (x)'}),
      said ? button('Undo', () => this.say(field.pointer, 'undo'), {kind: 'small', title: 'Take the decision back (z)'}) : null),
    said ? h('p', {class: 'hint', text: `${WORDS[said.verdict]}${said.verdict === 'correct' ? ` ${shown(said.new)}` : ''}, by ${said.by}, ${new Date(said.at).toLocaleString()}. Extracted: ${shown(said.old)}`}) : null);
    const edit = () => {
      const given = said?.verdict === 'correct' ? said.new : field.value;
      const input = h('input', {type: 'text', value: given === null ? '' : String(given), 'aria-label': `The right value of ${field.label}`, autocomplete: 'off', onkeydown: (event) => { if (event.key === 'Escape') { event.stopPropagation(); buttons(); } }});
      fill(out, h('form', {class: 'inline', onsubmit: (event) => { event.preventDefault(); this.say(field.pointer, 'correct', alike(field.value, input.value)); }},
        input, h('button', {class: 'button small primary', text: 'Keep'}), button('Leave it', buttons, {kind: 'small'})));
      input.focus();
      input.select();
    };
    out.edit = edit;
    buttons();
    return out;
  }

  /** a, e, x, z on the chosen field. True when the key was one of them. */
  key(name) {
    const pointer = this.view.chosen;
    const verdict = {a: 'accept', x: 'reject', z: 'undo'}[name];
    if (!pointer || (!verdict && name !== 'e')) return false;
    if (name === 'e') this.view.element.querySelector('.decide')?.edit?.();
    else if (name !== 'z' || this.settled.has(pointer)) this.say(pointer, verdict, undefined, {on: name !== 'z'});
    return true;
  }

  async say(pointer, verdict, value, {on = false} = {}) {
    const kept = await this.send([{pointer, verdict, ...(value === undefined ? {} : {value})}]);
    if (kept && on && this.waiting.length) this.view.key('n');
  }

  async send(said) {
    this.fault.hidden = true;
    try {
      const told = await post(`/reviews/${this.task}`, {decisions: said.map((one) => ({...one, artifact: this.artifact, part: this.part}))});
      this.take(told.decisions);
      this.changed(told.decisions);
      this.draw();
      this.view.select(this.view.chosen, {focus: this.view.list.rows.has(this.view.chosen)});
      return true;
    } catch (refused) {
      fill(this.fault, icon('alert'), refused.message);
      this.fault.hidden = false;
      return false;
    }
  }
}

/** What was typed, as the extracted value's kind. */
function alike(old, text) {
  const words = text.trim();
  if (!words) return null;
  if (typeof old === 'boolean') return /^(true|yes|1)$/i.test(words);
  return typeof old === 'number' && Number.isFinite(Number(words)) ? Number(words) : words;
}
