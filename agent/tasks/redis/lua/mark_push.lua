-- How far a webhook that still exists is; what was delivered never becomes less.
-- ARGV: prefix, task, config's id, delivered, the rest of its state (JSON).
local key, field = ARGV[1] .. 'push:' .. ARGV[2], ARGV[3] .. '/state'
local known = redis.call('HGET', key, field)
if not known then return 0 end
local state = cjson.decode(ARGV[5])
state.delivered = math.max(tonumber(ARGV[4]), cjson.decode(known).delivered)
redis.call('HSET', key, field, cjson.encode(state))
return 1
