// Agent: the card held against the rules of both versions, live calls in both, and every JSON-RPC exchange of this page.
import {hear, json, log, rpc} from './api.js';
import {RULES} from './card.js';
import {button, fill, h, icon, state, tabs} from './dom.js';
import {snippet} from './snippet.js';
import {json as coloured} from './view.js';

const CARD = '/.well-known/agent-card.json';
const UNKNOWN = 'no-such-task';
const CALLS = {'1.0': ['ListTasks', 'GetTask', 'CancelTask', 'SendMessage', 'GetExtendedAgentCard'], '0.3': ['tasks/get', 'tasks/cancel', 'message/send', 'agent/getAuthenticatedExtendedCard']};
const EXAMPLES = {ListTasks: {pageSize: 5}, SendMessage: {message: {messageId: 'by-hand-1', role: 'ROLE_USER', parts: [{text: 'Which PDFs are there?'}]}}, 'message/send': {message: {kind: 'message', messageId: 'by-hand-1', role: 'user', parts: [{kind: 'text', text: 'Which PDFs are there?'}]}}};

export async function open({main}) {
  const view = new Agent(main);
  await view.start();
  return view;
}

class Agent {
  constructor(main) {
    this.main = main;
    this.rows = h('ol', {class: 'log'});
    this.live = {};
  }

  async start() {
    const card = await json(CARD);
    const made = tabs([
      {id: 'card', label: 'Card', show: () => this.card(card)},
      {id: 'log', label: 'JSON-RPC log', show: () => this.log()},
    ], 'Agent', 'card');
    fill(this.main, h('div', {class: 'page-wide agent'}, h('h1', {class: 'unseen', text: 'Agent'}), made.bar, made.panel));
    this.deaf = hear(() => { if (this.rows.isConnected) this.draw(); });
  }

  close() {
    this.deaf?.();
  }

  card(card) {
    const judged = h('div', {class: 'column'}, Object.keys(RULES).map((version) => this.judge(version, card)));
    return h('div', {class: 'halves'}, judged, h('section', {class: 'card', 'aria-label': 'The card'}, h('header', {class: 'cardhead'}, h('h2', {text: card.name}), h('a', {href: CARD, text: CARD})),
      h('p', {class: 'hint', text: card.description}), coloured(card)));
  }

  judge(version, card) {
    const told = RULES[version].map(({words, clause, holds}) => ({words, clause, found: holds(card)}));
    const failed = told.filter((one) => one.found !== true).length;
    const live = h('li', {});
    this.probe(version, live);
    return h('section', {class: 'card', 'aria-label': `A2A ${version}`}, h('header', {class: 'cardhead'}, h('h2', {text: `A2A ${version}`}),
      h('span', {class: `chip check ${failed ? 'failed' : 'passed'}`}, icon(failed ? 'cross' : 'check'), failed ? `${failed} of ${told.length} rules fail` : `${told.length} rules hold`)),
    h('ul', {class: 'rules'}, told.map(({words, clause, found}) => rule(found === true, words, clause, found)), live));
  }

  /** Whether the version is spoken, by a call for a task that cannot be there: A2A's own code must come back. */
  async probe(version, place) {
    const method = version === '1.0' ? 'GetTask' : 'tasks/get';
    fill(place, h('span', {class: 'spinner tiny', 'aria-hidden': 'true'}), ` asking by ${method}`);
    let found = 'a task that cannot be there was found';
    try {
      await rpc(method, {id: UNKNOWN}, {version});
    } catch (fault) {
      found = fault.status === 404 ? true : fault.message;
    }
    place.replaceWith(rule(found === true, `${method} answers in this version (TaskNotFound, -32001)`, 'live', found));
  }

  log() {
    const out = h('div', {class: 'halves'}, h('section', {class: 'card', 'aria-label': 'Exchanges'}, h('header', {class: 'cardhead'}, h('h2', {text: 'Exchanges of this page'}),
      button('Forget', () => { log.length = 0; this.draw(); }, {kind: 'small'})), this.rows), this.caller());
    this.draw();
    return out;
  }

  draw() {
    const opened = new Set([...this.rows.querySelectorAll('details[open]')].map((one) => one.dataset.id));
    fill(this.rows, log.length ? log.map((entry) => exchange(entry, opened)) : h('li', {}, state('empty', 'Nothing was sent yet', 'What the other views send stands here, newest first.')));
  }

  /** A call by hand. */
  caller() {
    const version = h('select', {id: 'call-version', onchange: () => offer()}, Object.keys(CALLS).map((one) => h('option', {value: one, text: `A2A ${one}`})));
    const method = h('select', {id: 'call-method', onchange: () => example()});
    const params = h('textarea', {id: 'call-params', class: 'code', rows: '8', spellcheck: 'false'});
    const out = h('div', {'aria-live': 'polite'});
    const example = () => { params.value = JSON.stringify(EXAMPLES[method.value] ?? {id: ''}, null, 2); };
    const offer = () => { fill(method, CALLS[version.value].map((one) => h('option', {value: one, text: one}))); example(); };
    offer();
    const send = async (event) => {
      event.preventDefault();
      try {
        fill(out, coloured(await rpc(method.value, JSON.parse(params.value), {version: version.value})));
      } catch (fault) {
        fill(out, h('p', {class: 'fault', role: 'alert'}, icon('alert'), [fault.message, fault.hint].filter(Boolean).join(' ')));
      }
    };
    return h('section', {class: 'card', 'aria-label': 'A call by hand'}, h('header', {class: 'cardhead'}, h('h2', {text: 'A call by hand'})),
      h('form', {class: 'byhand', onsubmit: send}, h('label', {for: 'call-version', text: 'Version'}), version, h('label', {for: 'call-method', text: 'Method'}), method,
        h('label', {for: 'call-params', text: 'Parameters'}), params, h('p', {class: 'actions'}, h('button', {class: 'button primary', text: 'Send'}))), out);
  }
}

function rule(holds, words, clause, found) {
  return h('li', {class: holds ? 'holds' : 'fails'}, icon(holds ? 'check' : 'cross'), h('span', {}, words, h('span', {class: 'unseen', text: holds ? ' holds' : ' fails'}), holds ? null : h('b', {text: `: ${found}`})), h('span', {class: 'chip leaf', text: clause}));
}

function exchange(entry, opened) {
  const {method, sent, got, status, ms, at, version, resumed} = entry;
  const failed = status >= 400 || got?.error;
  const id = String(sent.id);
  const facts = [`A2A ${version}`, status ?? 'no answer', ms === undefined ? null : `${ms} ms`, resumed ? `resumed after ${resumed}` : null];
  return h('li', {}, h('details', {dataset: {id}, open: opened.has(id)}, h('summary', {}, h('i', {class: `dot ${failed ? 'bad' : 'good'}`, 'aria-hidden': 'true'}), h('b', {text: method}),
    got?.error ? h('span', {class: 'chip failed', text: String(got.error.code)}) : null, h('span', {class: 'space'}), h('span', {class: 'facts', text: facts.filter(Boolean).join(' · ')}), h('time', {class: 'facts', text: at.toLocaleTimeString()})),
  snippet('Request', masked(sent)), got === undefined ? null : snippet('Response', masked(got))));
}

/** JSON without passwords of documents: what is copied from here may go into a report. */
function masked(value) {
  return typeof value === 'string' ? value : JSON.stringify(value, (name, one) => (name === 'password' ? '***' : one), 2);
}
