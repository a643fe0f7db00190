// The public interface, as any caller speaks it. The key lives in this module's memory and nowhere else.

let key = null;
let ask = async () => null; // how a person is asked for a key: set by the shell
export const log = []; // the last JSON-RPC exchanges, newest first
const KEPT = 100;
const listeners = new Set();

export function hear(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setKey(given) {
  key = given || null;
}

export function hasKey() {
  return key !== null;
}

export function askWith(asking) {
  ask = asking;
}

/** A refusal in words: `code`, `message`, `hint`, `status`. */
export class Refused extends Error {
  constructor(body, status) {
    const told = body?.error?.data?.find?.((one) => one.code) ?? body?.error ?? body ?? {};
    super(told.message ?? body?.error?.message ?? `The service answered ${status}.`);
    this.code = told.code ?? body?.error?.code;
    this.hint = told.hint ?? null;
    this.status = body?.error?.code === -32001 ? 404 : status; // JSON-RPC tells of an unknown task in a 200
  }
}

let asking = null; // all requests that meet a locked door wait for one answer

/** A request with the key; when the service wants one, or another one, the person is asked and it is sent again. */
export async function request(path, options = {}) {
  for (;;) {
    const used = key;
    const headers = {...options.headers, ...(key ? {Authorization: `Bearer ${key}`} : {})};
    let answer;
    try {
      answer = await fetch(path, {...options, headers, credentials: 'omit'});
    } catch (fault) {
      if (fault.name === 'AbortError') throw fault;
      throw Object.assign(new Error('The service cannot be reached.'), {code: 'unreachable'});
    }
    if (answer.status !== 401) return answer;
    if (key !== used) continue; // somebody else was asked meanwhile
    asking ??= ask(used !== null).finally(() => { asking = null; });
    if (!(await asking)) throw new Refused(await body(answer), 401);
  }
}

async function body(answer) {
  try {
    return await answer.json();
  } catch {
    return null;
  }
}

/** JSON of a path. Raises Refused. */
export async function json(path, options = {}) {
  const answer = await request(path, {...options, headers: {Accept: 'application/json', ...options.headers}});
  if (!answer.ok) throw new Refused(await body(answer), answer.status);
  return answer.json();
}

export function post(path, value) {
  return json(path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(value)});
}

let calls = 0;

function envelope(method, params) {
  calls += 1;
  return {jsonrpc: '2.0', id: calls, method, params};
}

function note(entry) {
  log.unshift(entry);
  log.length = Math.min(log.length, KEPT);
  for (const listener of listeners) listener(entry);
}

/** A call over JSON-RPC: its result. `unlogged` is for what repeats by itself. Raises Refused. */
export async function rpc(method, params, {signal, version = '1.0', unlogged = false} = {}) {
  const sent = envelope(method, params);
  const entry = {at: new Date(), method, sent, version};
  const began = performance.now();
  try {
    const answer = await request('/', {method: 'POST', signal, headers: {'Content-Type': 'application/json', 'A2A-Version': version}, body: JSON.stringify(sent)});
    entry.got = await body(answer);
    entry.status = answer.status;
    if (!answer.ok || entry.got?.error) throw new Refused(entry.got, answer.status);
    return entry.got.result;
  } finally {
    entry.ms = Math.round(performance.now() - began);
    if (!unlogged) note(entry);
  }
}

const PAUSES_MS = [250, 500, 1000, 2000, 4000, 8000];

/**
 * The updates of a task until it ends. A stream that drops is taken up again where it was (Last-Event-ID);
 * `told` hears 'live', 'reconnecting'.
 */
export async function* follow(id, {signal, told = () => {}}) {
  let last = null;
  let failures = 0;
  for (;;) {
    try {
      const headers = {'Content-Type': 'application/json', 'A2A-Version': '1.0', Accept: 'text/event-stream', ...(last ? {'Last-Event-ID': last} : {})};
      const sent = envelope('SubscribeToTask', {id});
      const answer = await request('/', {method: 'POST', signal, headers, body: JSON.stringify(sent)});
      note({at: new Date(), method: 'SubscribeToTask', sent, status: answer.status, got: '(a stream of events)', version: '1.0', resumed: last});
      if (!answer.headers.get('Content-Type')?.startsWith('text/event-stream')) {
        const refused = new Refused(await body(answer), answer.status);
        if (answer.status >= 500 || answer.status === 429) throw refused;
        refused.final = true;
        throw refused;
      }
      told('live');
      for await (const event of events(answer.body)) {
        failures = 0;
        if (event.id) last = event.id;
        const message = JSON.parse(event.data);
        if (message.error) throw new Refused(message, 200);
        yield message.result;
        if (ended(message.result)) return;
      }
    } catch (fault) {
      if (signal?.aborted || fault.final || fault.status === 401) throw fault;
    }
    told('reconnecting');
    await new Promise((go) => { setTimeout(go, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]); });
    if (signal?.aborted) return;
    failures += 1;
  }
}

export const ENDED = new Set(['COMPLETED', 'FAILED', 'CANCELED', 'REJECTED']);

/** `TASK_STATE_INPUT_REQUIRED` as INPUT_REQUIRED. */
export function plain(state) {
  return state.replace('TASK_STATE_', '');
}

function ended(result) {
  const state = result.statusUpdate?.status.state ?? result.task?.status.state;
  return state !== undefined && ENDED.has(plain(state));
}

/** Server-sent events of a body. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      rest += value;
      let end;
      while ((end = rest.indexOf('\n\n')) >= 0) {
        const event = {data: ''};
        for (const line of rest.slice(0, end).split('\n')) {
          const [name, ...words] = line.split(': ');
          if (name === 'data') event.data += words.join(': ');
          else if (name === 'id') event.id = words.join(': ');
        }
        rest = rest.slice(end + 2);
        if (event.data) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const passwords = new Map(); // of locked documents, as long as the page is open

export function setPassword(id, password) {
  passwords.set(id, password);
}

/** A document's own address. */
export function documentPath(id) {
  return `/documents/${encodeURIComponent(id)}`;
}

/** JSON about a document, with its password where one was given. */
export function about(id, more = '') {
  const password = passwords.get(id);
  return json(documentPath(id) + more, {headers: password ? {'X-Document-Password': encodeURIComponent(password)} : {}});
}

/** A page's picture as a blob. */
export async function picture(id, page, dpi, signal) {
  const password = passwords.get(id);
  const headers = password ? {'X-Document-Password': encodeURIComponent(password)} : {};
  const answer = await request(`${documentPath(id)}/pages/${page}?dpi=${dpi}`, {signal, headers});
  if (!answer.ok) throw new Refused(await body(answer), answer.status);
  return answer.blob();
}

/** A blob as a URL that holds its bytes. */
export function dataUrl(blob) {
  return new Promise((done, refuse) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => refuse(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** Offers content as a file. */
export function save(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], {type}));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
