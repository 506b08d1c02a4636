"""A ledger in Redis, for the processes of a fleet. The caller passes the client, so the module imports no library."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from attrs import asdict

from mihu_async.errors import LedgerError, UsageError
from mihu_async.ledger.entry import LEASE, Claim, Entry, Standing
from mihu_async.validation import seconds

TAKE = """
local function same(one, other)
  return one.workspace == other.workspace and one.fingerprint == other.fingerprint
end
local stored = redis.call('GET', KEYS[1])
local found = stored and cjson.decode(stored)
if found and not same(found, cjson.decode(ARGV[2])) then return {'other', stored} end
if found and found.state == 'settled' then return {'settled', stored} end
local new = cjson.decode(ARGV[2])
local busy = not found and redis.call('HGET', KEYS[4], new.workspace .. ' ' .. new.number)
if busy then return {'busy', redis.call('GET', ARGV[5] .. busy)} end
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[3]) then return {'held', stored or ARGV[2]} end
if found then return {'resumed', stored} end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[4])
redis.call('HSET', KEYS[4], new.workspace .. ' ' .. new.number, ARGV[4])
return {'new', ARGV[2]}
"""
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
REDATE = """
local stored = redis.call('GET', KEYS[1])
local found = stored and cjson.decode(stored)
if redis.call('GET', KEYS[2]) ~= ARGV[1] or not found or found.state ~= 'begun' then return 0 end
local new = cjson.decode(ARGV[2])
found.began, found.ends = new.began, new.ends
redis.call('SET', KEYS[1], cjson.encode(found))
return redis.call('PEXPIRE', KEYS[2], ARGV[3])
"""
SETTLE = """
local stored = redis.call('GET', KEYS[1])
local found = stored and cjson.decode(stored)
local new = cjson.decode(ARGV[1])
local uuid = string.lower(new.phone_number_uuid)
local bought = new.workspace .. ' ' .. uuid
if not found or found.number ~= new.number then return 0 end
if found.state ~= 'begun' then return string.lower(found.phone_number_uuid) == uuid and 1 or 0 end
local other = redis.call('HGET', KEYS[5], bought)
if other and other ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[4], new.workspace .. ' ' .. new.number)
redis.call('HSET', KEYS[5], bought, ARGV[2])
return 1
"""
RELEASE = """
local stored = redis.call('GET', KEYS[1])
local found = stored and cjson.decode(stored)
if redis.call('GET', KEYS[2]) ~= ARGV[1] or not found or found.state ~= 'begun' then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HDEL', KEYS[4], found.workspace .. ' ' .. found.number)
return redis.call('SREM', KEYS[3], ARGV[2])
"""
LET_GO = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
FORGET = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local stored = redis.call('GET', KEYS[1])
local found = stored and cjson.decode(stored)
if not found or found.state ~= 'begun' then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[4], found.workspace .. ' ' .. found.number)
return redis.call('SREM', KEYS[3], ARGV[1])
"""
BEGUN = """
local found = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local stored = redis.call('GET', ARGV[1] .. key)
  if stored then found[#found + 1] = stored end
end
return found
"""


class Scripting(Protocol):
    """The methods of redis-py's asyncio client that a ledger needs: reading a key or a field, and running a script."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Any:
        """Run a script on the server, which runs nothing else in the meantime."""
        ...

    def hget(self, name: str, key: str, /) -> Any:
        """Return a field of a hash, or None."""
        ...

    def get(self, name: str, /) -> Any:
        """Return the value of a key, or None."""
        ...


class RedisLedger:
    """A ``Ledger`` in Redis, for a fleet: ``MihuClient(ledger=RedisLedger(redis.asyncio.Redis(…)))``.

    The extra ``redis`` installs redis-py. The entries are as durable as the server makes them. With ``appendonly yes``
    and ``appendfsync always``, an entry is on the disk before the purchase is sent; with ``everysec``, a crash of the
    server may lose the last second; ``maxmemory-policy noeviction`` keeps the server from dropping entries. Every step
    is one script, so no process sees half a step. On a cluster, all entries of a prefix are on one node.

    Args:
        client: redis-py's asyncio client. It is yours: the ledger never closes it. It belongs to the event loop that
            uses it.
        prefix: The beginning of the names of all keys in Redis, ``mihu`` by default. Ledgers with different prefixes
            share nothing.
        lease: Seconds after which a process that no longer renews its lease counts as dead, 15 by default. The lease is
            renewed three times in that time.

    Raises:
        UsageError: If the lease is not a number of seconds above zero, or the client cannot run scripts.
    """

    def __init__(self, client: Scripting, *, prefix: str = "mihu", lease: float = LEASE) -> None:
        if not hasattr(client, "eval"):
            message = f"client must be redis-py's asyncio client, not {type(client).__name__}."
            raise UsageError(message, argument="client")
        self._client = client
        self._prefix = prefix
        self._entries = f"{{{prefix}}}:entry:"
        self._leases = f"{{{prefix}}}:lease:"
        self._begun = f"{{{prefix}}}:begun"
        self._numbers = f"{{{prefix}}}:numbers"
        self._bought = f"{{{prefix}}}:bought"
        self._lease = seconds("lease", lease)

    @property
    def lease(self) -> float:
        """The seconds for which a key is held after it was taken or renewed."""
        return self._lease

    async def find(self, key: str) -> Entry | None:
        """Return the entry under a key, or None, as ``Ledger.find`` describes."""
        stored = await self._ask(lambda: self._client.get(self._entries + key))
        return None if stored is None else _entry_of(stored)

    async def take(self, entry: Entry, owner: str) -> Claim:
        """Claim a key, as ``Ledger.take`` describes."""
        values = (owner, _stored(entry), self._milliseconds, entry.key, self._entries)
        standing, stored = await self._run(TAKE, self._names(entry.key), *values)
        return Claim(Standing(_text(standing)), _entry_of(stored))

    async def renew(self, key: str, owner: str) -> bool:
        """Hold a key for another lease, as ``Ledger.renew`` describes."""
        return bool(await self._run(RENEW, (self._leases + key,), owner, self._milliseconds))

    async def redate(self, entry: Entry, owner: str) -> bool:
        """Write the times of an entry that was taken over, as ``Ledger.redate`` describes."""
        return bool(await self._run(REDATE, self._names(entry.key), owner, _stored(entry), self._milliseconds))

    async def settle(self, entry: Entry) -> bool:
        """Write the outcome of a purchase, as ``Ledger.settle`` describes."""
        return bool(await self._run(SETTLE, self._names(entry.key), _stored(entry), entry.key))

    async def release(self, key: str, owner: str) -> None:
        """Remove a ``begun`` entry that the owner holds, as ``Ledger.release`` describes."""
        await self._run(RELEASE, self._names(key), owner, key)

    async def let_go(self, key: str, owner: str) -> None:
        """End the owner's lease, as ``Ledger.let_go`` describes."""
        await self._run(LET_GO, (self._leases + key,), owner)

    async def bought_by(self, workspace: str, phone_number_uuid: str) -> str | None:
        """Return the key that is settled for a number, or None, as ``Ledger.bought_by`` describes."""
        key = await self._ask(lambda: self._client.hget(self._bought, f"{workspace} {phone_number_uuid.lower()}"))
        return None if key is None else _text(key)

    async def forget(self, key: str) -> bool:
        """Remove a ``begun`` entry that nobody holds, as ``Ledger.forget`` describes."""
        return bool(await self._run(FORGET, self._names(key), key))

    async def begun(self) -> Sequence[Entry]:
        """Return all ``begun`` entries, as ``Ledger.begun`` describes."""
        found = await self._run(BEGUN, (self._begun,), self._entries)
        return sorted(map(_entry_of, found), key=lambda entry: entry.key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"

    @property
    def _milliseconds(self) -> int:
        return max(1, round(self._lease * 1000))

    def _names(self, key: str) -> tuple[str, ...]:
        return self._entries + key, self._leases + key, self._begun, self._numbers, self._bought

    async def _run(self, script: str, names: tuple[str, ...], *arguments: Any) -> Any:
        return await self._ask(lambda: self._client.eval(script, len(names), *names, *arguments))

    async def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return await question()
        except Exception as error:  # the client is the caller's, and each version of it has errors of its own
            message = (
                f"The ledger in Redis ({self._prefix!r}) cannot be used: {type(error).__name__}. Without it a key "
                "protects nothing. Call again when Redis answers."
            )
            raise LedgerError(message) from error


def _stored(entry: Entry) -> str:
    return json.dumps(asdict(entry), default=datetime.isoformat)


def _entry_of(stored: Any) -> Entry:
    values = json.loads(stored)
    moments = {name: values[name] and datetime.fromisoformat(values[name]) for name in ("began", "ends")}
    return Entry(**values | moments)


def _text(value: Any) -> str:
    """Return a value as text, whether or not the client decodes its answers."""
    return value.decode() if isinstance(value, bytes) else str(value)
