-- Adds decisions to those of a task that is there. ARGV: prefix, task, then each decision. Answers 0 for no task.
local P, id = ARGV[1], ARGV[2]
local ttl = redis.call('PTTL', P .. 'task:' .. id)
if ttl <= 0 then return 0 end
for at = 3, #ARGV do redis.call('RPUSH', P .. 'decisions:' .. id, ARGV[at]) end
redis.call('PEXPIRE', P .. 'decisions:' .. id, ttl)
return 1
