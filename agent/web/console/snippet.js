// The same request as anybody can send it: curl and Python, to copy.
import {button, h} from './dom.js';

/** Parts as they stand in a snippet: a file is read from disk in place of the upload's address. */
function spelled(parts) {
  return parts.map((part) => (part.url ? {raw: '@FILE@', filename: part.filename ?? 'document.pdf', mediaType: 'application/pdf'} : part));
}

function message(parts) {
  return {messageId: 'MESSAGE-ID', role: 'ROLE_USER', parts: spelled(parts)};
}

function quoted(text) {
  return text.replaceAll("'", `'\\''`);
}

export function curl(parts) {
  const call = {jsonrpc: '2.0', id: 1, method: 'SendMessage', params: {message: message(parts)}};
  const file = parts.find((part) => part.url);
  const body = quoted(JSON.stringify(call, null, 2)).replace('MESSAGE-ID', `'"$(date +%s)-$RANDOM"'`);
  const told = file
    ? `{\n  printf %s '${body.split('"@FILE@"').join(`"'; base64 -w0 '${quoted(file.filename ?? 'document.pdf')}'; printf %s '"`)}'\n} | `
    : '';
  const data = file ? '-d @-' : `-d '${body}'`;
  return snippet('curl', `${told}curl -s ${location.origin}/ \\\n  -H "Authorization: Bearer $KEY" \\\n  -H 'Content-Type: application/json' -H 'A2A-Version: 1.0' \\\n  ${data}`);
}

export function python(parts) {
  const file = parts.find((part) => part.url);
  const literal = JSON.stringify(spelled(parts), null, 4).replaceAll(/\b(true|false|null)\b(?=[,\n\]}])/g, (word) => ({true: 'True', false: 'False', null: 'None'})[word]);
  const shown = literal.replace('"@FILE@"', `base64.b64encode(open(${JSON.stringify(file?.filename ?? 'document.pdf')}, "rb").read()).decode()`);
  return snippet('Python', `${file ? 'import base64\n' : ''}import json, os, urllib.request, uuid

parts = ${shown}
call = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {
    "message": {"messageId": str(uuid.uuid4()), "role": "ROLE_USER", "parts": parts}}}
request = urllib.request.Request(${JSON.stringify(`${location.origin}/`)}, json.dumps(call).encode(), {
    "Content-Type": "application/json", "A2A-Version": "1.0",
    "Authorization": "Bearer " + os.environ.get("KEY", "")})
task = json.load(urllib.request.urlopen(request))["result"]["task"]
print(json.dumps(task["artifacts"][0]["parts"][0]["data"], indent=2))`);
}

/** Code with a button that copies it. */
export function snippet(label, code) {
  const copy = button('Copy', async () => {
    await navigator.clipboard.writeText(code);
    copy.lastChild.textContent = 'Copied';
  }, {kind: 'small', symbol: 'copy', 'aria-label': `Copy ${label}`});
  return h('figure', {class: 'snippet'}, h('figcaption', {}, h('span', {text: label}), copy), h('pre', {class: 'code', tabindex: '0', text: code}));
}
