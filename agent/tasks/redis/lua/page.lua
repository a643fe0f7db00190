-- One page of a caller's tasks, newest status first, and how many match in all.
-- ARGV: prefix, caller, context, state, since, size, then time and id of the last task of the page before ('' for none).
-- Answers: total, then time, id and head of each task, one more than asked for when there is a next page.
local P, caller, context, state, since, size = unpack(ARGV, 1, 6)
local last_at, last_id = ARGV[7], ARGV[8]
local of_state = P .. 'by-state:' .. state .. ':' .. caller
local of_context = P .. 'by-context:' .. #caller .. ':' .. caller .. ':' .. context
local source = P .. 'by:' .. caller
local both = context ~= '' and state ~= ''
if both then
  source = P .. 'page'
  redis.call('ZINTERSTORE', source, 2, of_context, of_state, 'AGGREGATE', 'MAX')
elseif context ~= '' then
  source = of_context
elseif state ~= '' then
  source = of_state
end

local least = since == '' and '-inf' or since
local total = redis.call('ZCOUNT', source, least, '+inf')
local found, offset, wanted = {}, 0, tonumber(size) + 1
while #found < wanted do
  local rows = redis.call(
    'ZREVRANGEBYSCORE', source, last_at == '' and '+inf' or last_at, least, 'WITHSCORES', 'LIMIT', offset, wanted
  )
  if #rows == 0 then break end
  for i = 1, #rows, 2 do
    local id, at = rows[i], rows[i + 1]
    if last_at == '' or tonumber(at) < tonumber(last_at) or id < last_id then
      local head = redis.call('HGET', P .. 'task:' .. id, 'head')
      if head and #found < wanted then
        found[#found + 1] = {at, id, head}
      elseif not head then
        total = total - 1 -- its time to live ran out while no service was there to drop it
      end
    end
  end
  offset = offset + wanted
end
if both then redis.call('DEL', source) end
return {total, found}
