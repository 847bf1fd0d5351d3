"""Request limits: token buckets that refill all the time, and the ban behind them.

Why: a guard has to live inside the venue's budget, read its headers, and survive the HTML page of
a ban. Two layers: 120 a minute per account (30 per address when unsigned) for every request, and
10 a second for the requests that change orders or positions. An address that goes on after a 429,
or collects errors quickly, is banned.

Units: `now_ms` milliseconds, headers are whole numbers. Source: www.bitmex.com/app/restAPI.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from connectors.simulated.server.settings import RateLimits

_MS_PER_S = 1_000
_MS_PER_MINUTE = 60_000
_MS_PER_HOUR = 3_600_000
_MOST_CALLERS = 10_000  # remembered at a time, of each kind
_MOST_MISDEEDS = 10_000  # of one address


class TokenBucket:
    """Tokens up to a capacity, refilled evenly over a period.

    Counted in whole `capacity`ths of a millisecond of refill, so that no fraction is ever lost.
    """

    def __init__(self, *, capacity: int, period_ms: int, now_ms: int) -> None:
        self.capacity = capacity
        self._token = period_ms  # credit worth one token
        self._credit = capacity * period_ms
        self._at_ms = now_ms

    def take(self, now_ms: int) -> bool:
        """Take one token; False, and nothing taken, if there is none."""
        self._refill(now_ms)
        if self._credit < self._token:
            return False
        self._credit -= self._token
        return True

    def remaining(self, now_ms: int) -> int:
        """Return the whole tokens left."""
        self._refill(now_ms)
        return self._credit // self._token

    def full_at_ms(self, now_ms: int) -> int:
        """Return when the bucket will be full again."""
        self._refill(now_ms)
        return now_ms + _ceil_div(self.capacity * self._token - self._credit, self.capacity)

    def retry_after_s(self, now_ms: int) -> int:
        """Return the whole seconds until a token is there, at least one."""
        self._refill(now_ms)
        wait_ms = _ceil_div(self._token - self._credit, self.capacity)
        return max(1, _ceil_div(wait_ms, _MS_PER_S))

    def _refill(self, now_ms: int) -> None:
        passed_ms = max(0, now_ms - self._at_ms)
        self._credit = min(self.capacity * self._token, self._credit + passed_ms * self.capacity)
        self._at_ms = max(self._at_ms, now_ms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a request may pass, and the headers its answer carries.

    Attributes:
        retry_after_s: None if it passes, else the seconds to wait.
        headers: The `x-ratelimit-*` headers.
    """

    retry_after_s: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


class _Buckets:
    """The buckets of one kind, by caller; those that are full are forgotten when there are many."""

    def __init__(self, period_ms: int) -> None:
        self._period_ms = period_ms
        self._by_caller: dict[object, TokenBucket] = {}

    def of(self, caller: object, capacity: int, now_ms: int) -> TokenBucket:
        """Return the caller's bucket, a full one if it is new."""
        bucket = self._by_caller.get(caller)
        if bucket is None:
            if len(self._by_caller) >= _MOST_CALLERS:
                self._forget_full(now_ms)
            bucket = TokenBucket(capacity=capacity, period_ms=self._period_ms, now_ms=now_ms)
            self._by_caller[caller] = bucket
        return bucket

    def _forget_full(self, now_ms: int) -> None:
        """Forget what a new bucket would say as well, and the oldest of the rest down to a half."""
        kept = {caller: one for caller, one in self._by_caller.items() if one.remaining(now_ms) < one.capacity}
        if len(kept) > _MOST_CALLERS // 2:  # so that the next thousands need no such look
            kept = dict(islice(kept.items(), len(kept) - _MOST_CALLERS // 2, None))
        self._by_caller = kept


class RequestLimits:
    """The buckets of all accounts and addresses, and the list of banned addresses."""

    def __init__(self, settings: RateLimits) -> None:
        self._settings = settings
        self._minute = _Buckets(_MS_PER_MINUTE)
        self._second = _Buckets(_MS_PER_S)
        self._hour = _Buckets(_MS_PER_HOUR)
        self._refusals: dict[str, deque[int]] = {}
        self._errors: dict[str, deque[int]] = {}
        self._banned_until_ms: dict[str, int] = {}

    @property
    def error_name(self) -> str:
        """Class in the body of a 429."""
        return self._settings.error_name

    def admit(self, *, account: int | None, address: str, is_order: bool, now_ms: int) -> Verdict:
        """Charge one request.

        Args:
            account: Who signed it, None if nobody did.
            address: Where it came from.
            is_order: Whether the ten-per-second layer counts it too.
            now_ms: Time of arrival.
        """
        if not self._settings.is_on:
            return Verdict(headers=self._full_headers(account, is_order=is_order, now_ms=now_ms))
        caller = address if account is None else account
        minute = self._minute.of(caller, self._minute_capacity(account), now_ms)
        second = self._second.of(caller, self._settings.orders_per_second, now_ms) if is_order else None
        short = next((one for one in (minute, second) if one is not None and not one.take(now_ms)), None)
        if short is None:
            return Verdict(headers=_headers(minute, second, now_ms))
        self._count(self._refusals, address, now_ms, self._settings.ban_after_refusals)
        retry_after_s = short.retry_after_s(now_ms)
        headers = {**_headers(minute, second, now_ms), "retry-after": str(retry_after_s)}
        return Verdict(retry_after_s=retry_after_s, headers=headers)

    def _full_headers(self, account: int | None, *, is_order: bool, now_ms: int) -> dict[str, str]:
        """Return what an untouched budget shows, for an exchange without limits."""
        minute = TokenBucket(capacity=self._minute_capacity(account), period_ms=_MS_PER_MINUTE, now_ms=now_ms)
        second = TokenBucket(capacity=self._settings.orders_per_second, period_ms=_MS_PER_S, now_ms=now_ms)
        return _headers(minute, second if is_order else None, now_ms)

    def admit_connection(self, address: str, now_ms: int) -> int | None:
        """Charge one WebSocket connection; return those left this hour, None if there were none."""
        capacity = self._settings.connections_per_hour
        if not self._settings.is_on:
            return capacity - 1
        bucket = self._hour.of(address, capacity, now_ms)
        return bucket.remaining(now_ms) if bucket.take(now_ms) else None

    def connection_wait_s(self, address: str, now_ms: int) -> int:
        """Return the seconds until the address may connect again."""
        return self._hour.of(address, self._settings.connections_per_hour, now_ms).retry_after_s(now_ms)

    def is_banned(self, address: str, now_ms: int) -> bool:
        """Return whether the address is shut out just now."""
        return now_ms < self._banned_until_ms.get(address, 0)

    def ban(self, address: str, *, until_ms: int) -> None:
        """Shut an address out, whatever it did."""
        self._banned_until_ms[address] = until_ms

    def note_error(self, address: str, now_ms: int) -> bool:
        """Count an error answer; return whether it led to a ban."""
        if not self._settings.is_on:
            return False
        return self._count(self._errors, address, now_ms, self._settings.ban_after_errors)

    def _minute_capacity(self, account: int | None) -> int:
        return self._settings.unsigned_per_minute if account is None else self._settings.signed_per_minute

    def _count(self, memory: dict[str, deque[int]], address: str, now_ms: int, most: int) -> bool:
        """Remember one misdeed; ban the address, and return True, if there were too many of late."""
        if address not in memory and len(memory) >= _MOST_CALLERS:
            self._forget_old(memory, now_ms)
        recent = memory.setdefault(address, deque(maxlen=_MOST_MISDEEDS))
        recent.append(now_ms)
        while recent and recent[0] <= now_ms - self._settings.ban_window_ms:
            recent.popleft()
        if not 0 < most <= len(recent):
            return False
        self.ban(address, until_ms=now_ms + self._settings.ban_ms)
        recent.clear()
        return True

    def _forget_old(self, memory: dict[str, deque[int]], now_ms: int) -> None:
        """Forget who did nothing within the window, at least the older half, and bans that have ended."""
        since_ms = now_ms - self._settings.ban_window_ms
        old = [address for address, recent in memory.items() if not recent or recent[-1] <= since_ms]
        for address in old if len(old) >= _MOST_CALLERS // 2 else list(memory)[: _MOST_CALLERS // 2]:
            del memory[address]
        self._banned_until_ms = {one: until for one, until in self._banned_until_ms.items() if until > now_ms}


def _headers(minute: TokenBucket, second: TokenBucket | None, now_ms: int) -> dict[str, str]:
    headers = {
        "x-ratelimit-limit": str(minute.capacity),
        "x-ratelimit-remaining": str(minute.remaining(now_ms)),
        "x-ratelimit-reset": str(_ceil_div(minute.full_at_ms(now_ms), _MS_PER_S)),
    }
    if second is not None:
        headers["x-ratelimit-limit-1s"] = str(second.capacity)
        headers["x-ratelimit-remaining-1s"] = str(second.remaining(now_ms))
    return headers


def _ceil_div(value: int, by: int) -> int:
    return -(-value // by)
