-- Keeps a webhook of a task that is there. ARGV: prefix, task, config's id, config, its state. Answers 0 for no task.
local P, id = ARGV[1], ARGV[2]
local ttl = redis.call('PTTL', P .. 'task:' .. id)
if ttl <= 0 then return 0 end
redis.call('HSET', P .. 'push:' .. id, ARGV[3], ARGV[4], ARGV[3] .. '/state', ARGV[5])
redis.call('PEXPIRE', P .. 'push:' .. id, ttl)
redis.call('SADD', P .. 'pushing', id)
if redis.call('PTTL', P .. 'pushing') < ttl then redis.call('PEXPIRE', P .. 'pushing', ttl) end
return 1
