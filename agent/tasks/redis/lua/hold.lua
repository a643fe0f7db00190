-- Takes a lease that nobody has, or renews one's own. ARGV: prefix, name, owner, milliseconds. Answers 1 for had.
local key = ARGV[1] .. 'lease:' .. ARGV[2]
if redis.call('SET', key, ARGV[3], 'NX', 'PX', ARGV[4]) then return 1 end
if redis.call('GET', key) ~= ARGV[3] then return 0 end
redis.call('PEXPIRE', key, ARGV[4])
return 1
