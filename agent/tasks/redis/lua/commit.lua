-- One commit: snapshot, event and what goes with them, or nothing.
-- ARGV: prefix, facts (JSON, all values strings), head, event, its artifact by digest, the artifact's field,
--       then digest and content of each blob. Answers: ok | stale | claimed TASK DIGEST.
-- A commit that was already made is told by its token, so that it can be sent again when the answer was lost.
local P, m = ARGV[1], cjson.decode(ARGV[2])
local head, event, by_digest, artifact = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local task, journal, named = P .. 'task:' .. m.id, P .. 'journal:' .. m.id, P .. 'named:' .. m.id
local known = redis.call('HMGET', task, 'version', 'attempt', 'state', 'made')

if m.before_version then
  if known[1] ~= m.before_version or known[2] ~= m.before_attempt then
    local entry = redis.call('XRANGE', journal, m.version .. '-0', m.version .. '-0')[1]
    if entry and entry[2][2] == m.token then return {'ok'} end
    return {'stale'}
  end
elseif known[1] then
  return {known[4] == m.token and 'ok' or 'stale'}
end
if m.claim then
  local taken = redis.call('HMGET', P .. m.claim, 'task', 'digest')
  if taken[1] then return {'claimed', taken[1], taken[2]} end
end

local function keep(key) redis.call('PEXPIRE', key, m.ttl) end
local function name(member) redis.call('SADD', named, member) end
local function place(key)
  redis.call('ZADD', key, m.at, m.id)
  keep(key)
end

redis.call('HSET', task, 'head', head, 'version', m.version, 'attempt', m.attempt, 'state', m.state, 'at', m.at)
if not m.before_version then
  redis.call('HSET', task, 'caller', m.caller, 'context', m.context, 'made', m.token)
end
if artifact ~= '' then redis.call('HSET', task, 'artifact:' .. m.place, artifact) end
keep(task)
for i = 7, #ARGV, 2 do
  local blob = 'blob:' .. m.id .. ':' .. ARGV[i]
  redis.call('SET', P .. blob, ARGV[i + 1], 'PX', m.ttl)
  name(blob)
end
if event ~= '' then
  local fields = {'token', m.token, 'event', event}
  if by_digest ~= '' then fields[5], fields[6] = 'artifact', by_digest end
  redis.call('XADD', journal, 'MAXLEN', '~', m.journal, m.version .. '-0', unpack(fields))
  keep(journal)
end

if known[3] and known[3] ~= m.state then
  redis.call('ZREM', P .. 'all:' .. known[3], m.id)
  redis.call('ZREM', P .. 'by-state:' .. known[3] .. ':' .. m.caller, m.id)
  for _, member in ipairs(redis.call('SMEMBERS', named)) do
    if string.sub(member, 1, 6) ~= 'claim:' then keep(P .. member) end
  end
end
place(P .. 'all:' .. m.state)
place(P .. 'by:' .. m.caller)
place(P .. 'by-state:' .. m.state .. ':' .. m.caller)
place(P .. 'by-context:' .. #m.caller .. ':' .. m.caller .. ':' .. m.context)

for _, document in ipairs(m.documents) do
  redis.call('SADD', P .. 'document:' .. document, m.id)
  keep(P .. 'document:' .. document)
  name('document:' .. document)
end
if m.claim then
  redis.call('HSET', P .. m.claim, 'task', m.id, 'digest', m.digest)
  redis.call('PEXPIREAT', P .. m.claim, m.claim_ends)
  name(m.claim)
end
if m.push then
  redis.call('HSET', P .. 'push:' .. m.id, m.push, m.push_config, m.push .. '/state', m.push_state)
  redis.call('SADD', P .. 'pushing', m.id)
end
if m.dead then place(P .. 'dead') end
for _, key in ipairs({named, P .. 'push:' .. m.id, P .. 'pushing'}) do keep(key) end
redis.call('PUBLISH', P .. 'told:' .. m.id, m.version)
return {'ok'}
