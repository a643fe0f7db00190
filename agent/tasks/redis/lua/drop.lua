-- Removes a task with everything of it, unless it is at work (and that is to be spared) or its status is too young.
-- ARGV: prefix, id, time the status must be older than ('' for any), '1' to spare a task at work.
-- Answers: 0 when it stays, 1 when it was gone already, else its caller and what it named.
local P, id, before, spare = unpack(ARGV)
local task, named = P .. 'task:' .. id, P .. 'named:' .. id
local caller, context, state, at = unpack(redis.call('HMGET', task, 'caller', 'context', 'state', 'at'))
if caller then
  if before ~= '' and tonumber(at) >= tonumber(before) then return 0 end
  if spare == '1' and (state == 'submitted' or state == 'working') then return 0 end
end

local members = redis.call('SMEMBERS', named)
for _, member in ipairs(members) do
  if string.sub(member, 1, 9) == 'document:' then
    redis.call('SREM', P .. member, id)
  else
    redis.call('DEL', P .. member)
  end
end
redis.call('DEL', task, named, P .. 'journal:' .. id, P .. 'push:' .. id, P .. 'decisions:' .. id)
redis.call('SREM', P .. 'pushing', id)
redis.call('ZREM', P .. 'dead', id)
for _, name in ipairs({
  'submitted', 'working', 'input-required', 'auth-required', 'completed', 'failed', 'canceled', 'rejected',
}) do
  redis.call('ZREM', P .. 'all:' .. name, id)
end
redis.call('PUBLISH', P .. 'told:' .. id, 'gone')
if not caller then return 1 end
redis.call('ZREM', P .. 'by:' .. caller, id)
redis.call('ZREM', P .. 'by-state:' .. state .. ':' .. caller, id)
redis.call('ZREM', P .. 'by-context:' .. #caller .. ':' .. caller .. ':' .. context, id)
return {caller, members}
