// What a result says, as plain data: fields with their proof, tables with their sums, CSV. No page, no requests.

/** (JSON Pointer, value) of every leaf, in the order of the values. */
export function leaves(node, pointer = '') {
  if (node !== null && typeof node === 'object') {
    const inner = Object.entries(node);
    if (inner.length) {
      return inner.flatMap(([key, child]) =>
        leaves(child, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`));
    }
  }
  return [[pointer, node]];
}

/** The value at a JSON Pointer; null where there is none. */
export function valueAt(values, pointer) {
  return pointer.slice(1).split('/').reduce((node, key) => node?.[key.replaceAll('~1', '/').replaceAll('~0', '~')] ?? null, values);
}

const UPPER = new Set(['id', 'vat', 'iban', 'bic', 'po', 'url', 'awb', 'imo', 'scac', 'sku']);

/** `seller_vat_id` as people read it: "Seller VAT ID". */
export function spoken(name) {
  const words = String(name).replaceAll('~1', '/').replaceAll('~0', '~').split(/[_\s]+/).filter(Boolean);
  const told = words.map((word) => (UPPER.has(word.toLowerCase()) ? word.toUpperCase() : word)).join(' ');
  return told.charAt(0).toUpperCase() + told.slice(1);
}

export const MATCHES = {
  exact: 'Printed with the same characters',
  normalised: 'Printed as the same value in another form',
  fuzzy: 'Printed nearly so',
  unlocated: 'Nowhere on the pages',
};
export const SOURCES = {
  xml: 'e-invoice XML', form: 'form field', layout: 'page layout', ocr: 'text recognition', model: 'language model',
};
export const REASONS = {
  not_found: 'Not found in the document',
  doubtful: 'Found, but too doubtful to be given',
  invalid: 'Found, but it breaks the schema or a check digit',
  unreadable: 'Its page cannot be read',
};

/** Whether a person should look at it. The service's review queue has the same rule. */
export function doubtful(value, proof) {
  if (value === null) return proof.reason === 'doubtful' || proof.reason === 'invalid';
  if (!proof.match) return false;
  return proof.confidence === 'low' || Boolean(proof.conflicts?.length)
    || (proof.match === 'unlocated' && proof.confidence !== 'high');
}

const GROUPS = [
  ['Amounts', /(total|amount|subtotal|price|tax|discount|balance|paid|rate|currency|shipping|percent|charge|freight)/],
  ['Dates', /(date|due|period|deadline|valid|term)/],
  ['Parties', /(seller|buyer|vendor|supplier|customer|shipper|consignee|notify|carrier|party|parties|name|address|vat|tax_id|email|phone|city|postcode|country|ship_to|bill_to)/],
  ['Payment', /(iban|bic|account|bank|payment|swift)/],
];

function group(pointer) {
  const name = pointer.toLowerCase();
  if (/iban|bic|bank|account|payment/.test(name)) return 'Payment';
  if (/vat_id|tax_id|vat_number/.test(name)) return 'Parties';
  return GROUPS.find(([, pattern]) => pattern.test(name))?.[0] ?? 'Document';
}

/** The scalar fields: rows of tables are left to `tablesOf`. */
export function fieldsOf(result) {
  const rows = new Set(tablesOf(result).map((table) => table.pointer));
  return leaves(result.values)
    .filter(([pointer, value]) => pointer && !(Array.isArray(value) && !value.length)
      && ![...rows].some((root) => pointer.startsWith(`${root}/`)))
    .map(([pointer, value]) => fieldOf(result, pointer, value));
}

export function fieldOf(result, pointer, value) {
  const proof = result.evidence[pointer] ?? {};
  return {
    pointer, value, proof,
    label: pointer.slice(1).split('/').map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : spoken(part))).join(' · '),
    level: value === null ? 'none' : proof.match ?? 'unlocated',
    group: group(pointer),
    checks: checksOf(result, pointer, proof),
    doubtful: doubtful(value, proof),
  };
}

/** [name, passed] of every check that a value took part in. */
function checksOf(result, pointer, proof) {
  const found = new Map(Object.entries(proof.checks ?? {}));
  for (const check of result.checks ?? []) {
    if (check.fields.includes(pointer) && !found.has(check.name)) found.set(check.name, check.passed);
  }
  return [...found];
}

/** Every array of objects: its columns, its rows, and where it stands in the values. */
export function tablesOf(result) {
  const found = [];
  (function walk(node, pointer) {
    if (Array.isArray(node) && node.length && node.every((row) => row && typeof row === 'object' && !Array.isArray(row))) {
      const columns = [...new Set(node.flatMap((row) => Object.keys(row)))];
      found.push({pointer, columns, rows: node, label: spoken(pointer.split('/').at(-1))});
    } else if (node && typeof node === 'object' && !Array.isArray(node)) {
      for (const [key, child] of Object.entries(node)) walk(child, `${pointer}/${key}`);
    }
  })(result.values, '');
  return found;
}

const DECIMAL = /^-?\d+(\.\d+)?$/;

/** The exact sum of decimal strings or numbers; null when a cell is none. Nulls are left out. */
export function sum(cells) {
  const given = cells.filter((cell) => cell !== null && cell !== undefined).map(String);
  if (!given.length || !given.every((cell) => DECIMAL.test(cell))) return null;
  const places = Math.max(...given.map((cell) => (cell.split('.')[1] ?? '').length));
  const scaled = given.reduce((total, cell) => {
    const [whole, part = ''] = cell.split('.');
    return total + BigInt(whole + part.padEnd(places, '0'));
  }, 0n);
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(places + 1, '0');
  const told = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return scaled < 0n ? `-${told}` : told;
}

const STATED = ['net_total', 'subtotal', 'total', 'gross_total', 'amount_due', 'order_total'];

/** The stated total that a sum of lines is held against: `{name, value, agrees}`, or null when none is given. */
export function stated(values, total) {
  const given = STATED.filter((name) => typeof values[name] === 'string' && DECIMAL.test(values[name]));
  if (!given.length || total === null) return null;
  const agreeing = given.find((name) => sum([values[name], negative(total)])?.replace(/[0.\-]/g, '') === '');
  const name = agreeing ?? given[0];
  return {name, value: values[name], agrees: Boolean(agreeing)};
}

function negative(decimal) {
  return decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`;
}

/** Where sources disagree: one row for each other answer. */
export function differences(result) {
  return Object.entries(result.evidence).flatMap(([pointer, proof]) =>
    (proof.conflicts ?? []).map((other) => ({pointer, proof, other})));
}

const MOST_PAGES = 40; // as in report.py

/** The pages whose pictures a report holds: those with values first, then the others. */
export function pagesShown(result) {
  const marked = new Set(Object.values(result.evidence).map((proof) => proof.page).filter(Boolean));
  const others = Array.from({length: result.document.pages ?? 1}, (_, at) => at + 1).filter((page) => !marked.has(page));
  return [...[...marked].sort((a, b) => a - b), ...others].slice(0, MOST_PAGES);
}

/** A cell that a spreadsheet cannot run. */
function harmless(cell) {
  const text = cell === null || cell === undefined ? '' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(results) {
  const rows = [['document', 'field', 'value', 'page', 'match', 'confidence']];
  for (const result of results) {
    for (const [pointer, value] of leaves(result.values)) {
      const proof = result.evidence[pointer] ?? {};
      rows.push([result.document.id, pointer, value, proof.page, proof.match, proof.confidence ?? proof.reason]);
    }
  }
  return rows.map((row) => row.map(harmless).join(',')).join('\r\n') + '\r\n';
}
