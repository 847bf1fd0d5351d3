"""The request budget: two token buckets with a reserve that only protective requests may use.

Why: promise P8. The buckets are the account's and the bots draw on them too, so the venue's headers correct our own
count. Nothing is sent into an empty bucket or a ban: a client that keeps sending at zero has its address refused for an
hour. Reads stop at the reserve, so that a stop, a cancel or a heartbeat always finds a token the guard has not spent.

Buckets refill continuously (120 a minute are 2 a second). Times are seconds on any one steady clock, passed in.

Source: www.bitmex.com/app/restAPI, "Request Rate Limits".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOTHING_TO_WAIT_FOR = 0.0


@dataclass(slots=True)
class _Bucket:
    capacity: float
    refill_share_per_s: float
    """Part of the capacity that comes back each second."""
    tokens: float
    largest: float
    """The capacity that was assumed; no larger one is relied upon."""
    at_s: float | None = None

    @property
    def refill_per_s(self) -> float:
        return self.capacity * self.refill_share_per_s

    def refill(self, now_s: float) -> None:
        if self.at_s is not None and now_s > self.at_s:
            self.tokens = min(self.capacity, self.tokens + (now_s - self.at_s) * self.refill_per_s)
        self.at_s = now_s

    def wait_s(self, needed: float) -> float:
        """Seconds until `needed` tokens are there."""
        return max(0.0, (needed - self.tokens) / self.refill_per_s)

    def correct(self, told: float) -> None:
        """Take the venue's count: down at once, up by half, since several front-ends count apart."""
        told = min(max(told, 0.0), self.capacity)
        self.tokens = told if told < self.tokens else (self.tokens + told) / 2

    def resize(self, told: float) -> None:
        """Take the limit told, up to the one assumed: it may return to that, and a larger one is not relied upon."""
        if 0 < told <= self.largest:
            self.capacity = told
            self.tokens = min(self.tokens, told)


def _full(capacity: float, refill_share_per_s: float) -> _Bucket:
    return _Bucket(capacity=capacity, refill_share_per_s=refill_share_per_s, tokens=capacity, largest=capacity)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What is left at one moment."""

    tokens: int
    capacity: int
    """Of the bucket of a minute."""
    reserve: int
    paused_for_s: float
    is_banned: bool


class RequestBudget:
    """What may be sent now, and if nothing, when."""

    def __init__(self, *, per_minute: int, per_second: int, reserve: int) -> None:
        """Start with full buckets.

        Args:
            per_minute: Size of the account's bucket.
            per_second: Size of the second bucket, which orders and position changes draw on too.
            reserve: Tokens of the first bucket kept for protective requests.

        Raises:
            ValueError: If a bucket has no size or the reserve leaves nothing for reads.
        """
        if per_minute <= 0 or per_second <= 0 or not 0 <= reserve < per_minute:
            raise ValueError("a budget needs buckets above zero and a reserve below the minute bucket")
        self._minute = _full(per_minute, 1 / 60)
        self._second = _full(per_second, 1.0)
        self._reserve = float(reserve)
        self._paused_until_s = float("-inf")
        self._banned_until_s = float("-inf")

    def take(
        self, now_s: float, *, is_protective: bool, is_limited_by_second: bool = False, is_sparing: bool = False
    ) -> float:
        """Take a token and return 0, or take nothing and return the seconds after which to ask again.

        `is_sparing`: protective, but half of the reserve stays for what cannot be repeated without end.
        """
        self._refill(now_s)
        if now_s < self._paused_until_s:
            return self._paused_until_s - now_s
        reserve = min(self._reserve, self._minute.capacity - 1.0)
        kept = reserve if not is_protective else reserve / 2 if is_sparing else 0.0
        needed = 1.0 + kept
        wait_s = self._minute.wait_s(needed)
        if is_limited_by_second:
            wait_s = max(wait_s, self._second.wait_s(1.0))
        if wait_s > 0:
            return wait_s
        self._minute.tokens -= 1
        if is_limited_by_second:
            self._second.tokens -= 1
        return NOTHING_TO_WAIT_FOR

    def read_headers(self, now_s: float, headers: Mapping[str, str]) -> None:
        """Correct both buckets by the rate-limit headers of a signed answer (names in lower case)."""
        self._refill(now_s)
        limit = _count(headers, "x-ratelimit-limit")
        if limit is not None:
            self._minute.resize(limit)
        limit = _count(headers, "x-ratelimit-limit-1s")
        if limit is not None:
            self._second.resize(limit)
        remaining = _count(headers, "x-ratelimit-remaining")
        if remaining is not None:
            self._minute.correct(remaining)
        remaining = _count(headers, "x-ratelimit-remaining-1s")
        if remaining is not None:
            self._second.correct(remaining)

    def pause(self, now_s: float, for_s: float) -> None:
        """Send nothing for a while: the venue said 429, or refuses this address."""
        self._paused_until_s = max(self._paused_until_s, now_s + for_s)

    def ban(self, now_s: float, for_s: float) -> None:
        """Send nothing for a while: the venue refuses this address, and each further request prolongs that."""
        self.pause(now_s, for_s)
        self._banned_until_s = max(self._banned_until_s, now_s + for_s)

    def standing(self, now_s: float) -> Standing:
        """Return what may be sent, for people and alarms; nothing is taken."""
        self._refill(now_s)
        return Standing(
            tokens=max(0, int(self._minute.tokens)),
            capacity=int(self._minute.capacity),
            reserve=int(min(self._reserve, self._minute.capacity - 1.0)),
            paused_for_s=max(0.0, self._paused_until_s - now_s),
            is_banned=now_s < self._banned_until_s,
        )

    def empty(self, now_s: float) -> None:
        """The venue said that the minute bucket is empty, whatever we counted."""
        self._refill(now_s)
        self._minute.tokens = min(self._minute.tokens, 0.0)

    def remaining(self, now_s: float) -> float:
        """Return the tokens of the minute bucket."""
        self._refill(now_s)
        return self._minute.tokens

    def _refill(self, now_s: float) -> None:
        self._minute.refill(now_s)
        self._second.refill(now_s)


def _count(headers: Mapping[str, str], name: str) -> int | None:
    """A header's whole number; None when it is absent or no such thing."""
    written = headers.get(name, "")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None
