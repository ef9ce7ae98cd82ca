"""What must be decided in one breath on the results server, as Lua for Valkey and Redis.

A row is a hash. Time is the server's own, in milliseconds, so that clocks of clients do not matter.
"""

from __future__ import annotations

_NOW = "local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"

#: KEYS: saga row. ARGV: digest, saga name, lease, input. Whoever is told ``new`` or ``again`` publishes.
CLAIM = (
    _NOW
    + """
local digest, published, claimed = unpack(
  redis.call('HMGET', KEYS[1], 'digest', 'published', 'claimed_until'))
if not digest then
  redis.call('HSET', KEYS[1], 'digest', ARGV[1], 'saga', ARGV[2], 'started_at', now,
    'claimed_until', now + ARGV[3], 'input', ARGV[4])
  return {'new', 0}
end
if digest ~= ARGV[1] then return {'conflict', 0} end
if published then return {'known', 0} end
if tonumber(claimed) > now then return {'busy', claimed - now} end
redis.call('HSET', KEYS[1], 'claimed_until', now + ARGV[3])
return {'again', 0}
"""
)

#: KEYS: saga row, then the rows of its signals. ARGV: outcome, time to live, channel. The first word counts.
SETTLE = """
if redis.call('HSETNX', KEYS[1], 'outcome', ARGV[1]) == 0 then return 0 end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[2]) end
redis.call('PUBLISH', ARGV[3], ARGV[1])
return 1
"""

#: KEYS: signal row. ARGV: state. The saga has come to the wait; ``go`` if the signal was earlier.
ARRIVE = """
local id, payload, decided, published = unpack(
  redis.call('HMGET', KEYS[1], 'signal_id', 'payload', 'decided', 'published'))
if published or (decided and decided ~= 'early') then return {'gone', ''} end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
if not id then return {'waiting', ''} end
redis.call('HSET', KEYS[1], 'decided', 'early')
return {'go', payload}
"""

#: KEYS: saga row, signal row. ARGV: signal id, payload, lease. Whoever is told ``go`` publishes the second
#: pipeline, and who repeats a signal whose sender died in between is told so again.
SIGNAL = (
    _NOW
    + """
local digest, outcome, undoing = unpack(redis.call('HMGET', KEYS[1], 'digest', 'outcome', 'compensating'))
if not digest then return {'unknown', ''} end
local id, decided, published, state, claimed = unpack(
  redis.call('HMGET', KEYS[2], 'signal_id', 'decided', 'published', 'state', 'claimed_until'))
if id and id ~= ARGV[1] then return {'taken', ''} end
if id then
  if decided ~= 'signal' or published then return {'repeated', ''} end
  if tonumber(claimed) > now then return {'busy', tostring(claimed - now)} end
  redis.call('HSET', KEYS[2], 'claimed_until', now + ARGV[3])
  return {'again', state}
end
if decided or outcome or undoing then return {'late', ''} end
redis.call('HSET', KEYS[2], 'signal_id', ARGV[1], 'payload', ARGV[2])
if not state then return {'kept', ''} end
redis.call('HSET', KEYS[2], 'decided', 'signal', 'claimed_until', now + ARGV[3])
return {'go', state}
"""
)

#: KEYS: signal row. The wait's time is over: ``go`` unless the signal was faster.
EXPIRE = """
local decided, published, state = unpack(redis.call('HMGET', KEYS[1], 'decided', 'published', 'state'))
if published or not state or (decided and decided ~= 'timeout') then return {'gone', ''} end
redis.call('HSET', KEYS[1], 'decided', 'timeout')
return {'go', state}
"""

#: KEYS: saga row. ARGV: field, 1 or -1. A worker has begun with a step, or a decline says that nothing came
#: of it; the row of a forgotten saga stays away.
BEGUN = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2]) end
return 1
"""

#: KEYS: saga row. ARGV: id of the message that asks, rank, 1 if an escalation is given up before it begins,
#: then the steps with an escalation that lie as far or further.
#: The forward direction has ended: 1 if this message is to undo, 0 if another one does and reaches as far, or
#: the saga goes on with the escalation of one of those steps, 2 if the saga has completed.
COMPENSATE = """
local outcome, owner, rank, escalated, on = unpack(
  redis.call('HMGET', KEYS[1], 'outcome', 'compensating', 'rank', 'escalated', 'gone_on'))
if outcome and cjson.decode(outcome)[2]['status'] == 'completed' then return 2 end
if owner and owner ~= ARGV[1] and tonumber(rank) >= tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '1' then
  if on then return 0 end
  redis.call('HDEL', KEYS[1], 'escalating', 'escalated')
elseif escalated then
  for place = 4, #ARGV do if escalated == ARGV[place] then return 0 end end
end
redis.call('HSET', KEYS[1], 'compensating', ARGV[1], 'rank', ARGV[2])
return 1
"""

#: KEYS: saga row. ARGV: id of the message that asks, step. A step with an escalation is exhausted: ``go`` if
#: this message is to hand over, ``gone`` if another one does, or the saga turns back or is over, ``passed``
#: if a copy of the step has succeeded.
ESCALATE = """
local outcome, undoing, owner, passed = unpack(
  redis.call('HMGET', KEYS[1], 'outcome', 'compensating', 'escalating', 'passed:' .. ARGV[2]))
if outcome or undoing or (owner and owner ~= ARGV[1]) then return 'gone' end
if passed then return 'passed' end
redis.call('HSET', KEYS[1], 'escalating', ARGV[1], 'escalated', ARGV[2])
return 'go'
"""

#: KEYS: saga row. ARGV: step. A step with an escalation has succeeded: 1 unless a copy of it has handed over.
PASS = """
if redis.call('HGET', KEYS[1], 'escalated') == ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'passed:' .. ARGV[1], 1) end
return 1
"""

#: KEYS: saga row. 1 if the escalation begins, 0 if the saga turns back.
GO_ON = """
if redis.call('HGET', KEYS[1], 'compensating') then return 0 end
redis.call('HSET', KEYS[1], 'gone_on', 1)
return 1
"""

#: KEYS: any row. What was decided has been published; a waiting state is not needed any more.
PUBLISHED = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'published', 1)
  redis.call('HDEL', KEYS[1], 'state')
end
return 1
"""

#: KEYS: saga row. ARGV: the outcome that an operator replaces. Nobody has settled it again meanwhile: 1.
REOPEN = """
local outcome = redis.call('HGET', KEYS[1], 'outcome')
if outcome ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'replaces', outcome)
redis.call('HDEL', KEYS[1], 'outcome')
redis.call('PERSIST', KEYS[1])
return 1
"""
