// Rules of an agent card, by version: each is `{clause, words, holds(card) => true or what is wrong}`. Pure.

const text = (value) => typeof value === 'string' && value.trim() !== '';
const list = (value) => Array.isArray(value) && value.length > 0;
const absolute = (value) => text(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
const media = (value) => list(value) && value.every((one) => /^[\w.+-]+\/[\w.+*-]+$/.test(one));
const BINDINGS = new Set(['JSONRPC', 'HTTP+JSON', 'GRPC']);

function need(words, clause, holds) {
  return {words, clause, holds: (card) => {
    const found = holds(card);
    return found === true ? true : found || 'missing or of another kind';
  }};
}

const COMMON = [
  ['name', 'description', 'version'].map((name) => need(`${name} is told`, 'AgentCard', (card) => text(card[name]))),
  need('capabilities is an object', 'AgentCard', (card) => typeof card.capabilities === 'object' && card.capabilities !== null),
  need('defaultInputModes are media types', 'AgentCard', (card) => media(card.defaultInputModes)),
  need('defaultOutputModes are media types', 'AgentCard', (card) => media(card.defaultOutputModes)),
  need('every skill has id, name, description and tags', 'AgentSkill', (card) => list(card.skills) && (card.skills.every((one) => text(one.id) && text(one.name) && text(one.description) && list(one.tags)) || 'a skill lacks one')),
  need('skill ids differ', 'AgentSkill', (card) => new Set((card.skills ?? []).map((one) => one.id)).size === (card.skills ?? []).length),
  need('every extension has a uri', 'AgentExtension', (card) => (card.capabilities?.extensions ?? []).every((one) => text(one.uri))),
  need('required security names declared schemes', 'AgentCard', (card) => named(card).every((name) => name in (card.securitySchemes ?? {})) || 'a scheme is not declared'),
].flat();

function named(card) {
  const required = [...(card.security ?? []), ...(card.securityRequirements ?? []).map((one) => one.schemes ?? one)];
  return required.flatMap((one) => Object.keys(one));
}

export const RULES = {
  '1.0': [
    ...COMMON,
    need('supportedInterfaces is there', '§4.4.1', (card) => list(card.supportedInterfaces)),
    need('an interface speaks 1.0', '§4.4.6', (card) => (card.supportedInterfaces ?? []).some((one) => one.protocolVersion === '1.0')),
    need('every interface has an absolute URL, a known binding, a version', '§4.4.6', (card) => (card.supportedInterfaces ?? []).every((one) => absolute(one.url) && BINDINGS.has(one.protocolBinding) && /^\d+\.\d+$/.test(one.protocolVersion)) || 'an interface lacks one'),
    need('the preferred interface comes first', '§4.4.1', (card) => card.supportedInterfaces?.[0]?.protocolVersion === '1.0' || 'the first one is of another version'),
  ],
  '0.3': [
    ...COMMON,
    need('protocolVersion is 0.3', '§5.5', (card) => /^0\.3(\.\d+)?$/.test(card.protocolVersion ?? '')),
    need('url is absolute', '§5.5', (card) => absolute(card.url)),
    need('preferredTransport is a known one', '§5.5', (card) => BINDINGS.has(card.preferredTransport ?? 'JSONRPC')),
    need('additionalInterfaces have url and transport', '§5.5.5', (card) => (card.additionalInterfaces ?? []).every((one) => absolute(one.url) && BINDINGS.has(one.transport)) || 'one lacks a part'),
    need('the preferred transport is among them, under url', '§5.6', (card) => !list(card.additionalInterfaces) || card.additionalInterfaces.some((one) => one.url === card.url && one.transport === (card.preferredTransport ?? 'JSONRPC'))),
  ],
};
