"""Token buckets, budget headers and bans."""

from __future__ import annotations

from connectors.simulated.server.limits import RequestLimits, TokenBucket, Verdict
from connectors.simulated.server.settings import RateLimits

HOME = "127.0.0.1"


def admit(limits: RequestLimits, now_ms: int, *, account: int | None = 1, is_order: bool = False) -> Verdict:
    """Charge one request from home."""
    return limits.admit(account=account, address=HOME, is_order=is_order, now_ms=now_ms)


def test_bucket_refills_evenly() -> None:
    """60 a minute give one token a second, never more than the capacity."""
    bucket = TokenBucket(capacity=60, period_ms=60_000, now_ms=0)
    assert all(bucket.take(0) for _ in range(60))
    assert not bucket.take(0)
    assert bucket.retry_after_s(0) == 1
    assert bucket.remaining(5_000) == 5
    assert bucket.full_at_ms(5_000) == 60_000
    assert bucket.remaining(10_000_000) == 60


def test_a_clock_that_steps_back_gives_nothing() -> None:
    """Time that runs backwards neither fills nor breaks a bucket."""
    bucket = TokenBucket(capacity=1, period_ms=1_000, now_ms=5_000)
    assert bucket.take(5_000)
    assert not bucket.take(1_000)
    assert bucket.take(6_000)


def test_account_budget_and_its_headers() -> None:
    """120 requests pass, the next one is told when to come again."""
    limits = RequestLimits(RateLimits())
    first = admit(limits, 0)
    assert first.headers == {
        "x-ratelimit-limit": "120",
        "x-ratelimit-remaining": "119",
        "x-ratelimit-reset": "1",
    }
    assert all(admit(limits, 0).retry_after_s is None for _ in range(119))
    refused = admit(limits, 0)
    assert refused.retry_after_s == 1
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert admit(limits, 0, account=2).retry_after_s is None


def test_unsigned_requests_share_the_budget_of_their_address() -> None:
    """30 a minute per address when nobody signs."""
    limits = RequestLimits(RateLimits())
    assert all(admit(limits, 0, account=None).retry_after_s is None for _ in range(30))
    assert admit(limits, 0, account=None).retry_after_s == 2


def test_orders_have_a_second_layer() -> None:
    """Ten order requests a second, counted beside the minute, with headers of their own."""
    limits = RequestLimits(RateLimits())
    verdicts = [admit(limits, 0, is_order=True) for _ in range(10)]
    assert verdicts[0].headers["x-ratelimit-limit-1s"] == "10"
    assert verdicts[-1].headers["x-ratelimit-remaining-1s"] == "0"
    assert admit(limits, 0, is_order=True).retry_after_s == 1
    assert admit(limits, 0).retry_after_s is None
    assert admit(limits, 100, is_order=True).retry_after_s is None


def test_ban_after_many_refusals_and_its_end() -> None:
    """Twenty refusals within ten seconds shut the address out for the ban's length."""
    limits = RequestLimits(RateLimits(signed_per_minute=1, ban_ms=60_000))
    admit(limits, 0)
    for number in range(19):
        admit(limits, number)
    assert not limits.is_banned(HOME, 20)
    admit(limits, 20)
    assert limits.is_banned(HOME, 21)
    assert not limits.is_banned("127.0.0.2", 21)
    assert not limits.is_banned(HOME, 60_020)


def test_bans_can_be_switched_off() -> None:
    """Any number of refusals is then just that."""
    limits = RequestLimits(RateLimits(signed_per_minute=1, ban_after_refusals=0))
    verdicts = [admit(limits, 0) for _ in range(100)]
    assert verdicts[-1].retry_after_s == 60
    assert not limits.is_banned(HOME, 1)


def test_refusals_far_apart_do_not_ban() -> None:
    """Somebody who is refused now and then is not shut out."""
    limits = RequestLimits(RateLimits(signed_per_minute=1))
    admit(limits, 0)
    for number in range(40):
        admit(limits, number * 600)
    assert not limits.is_banned(HOME, 24_001)


def test_connections_per_hour() -> None:
    """The welcome says how many connections are left; none left means no connection."""
    limits = RequestLimits(RateLimits(connections_per_hour=2))
    assert limits.admit_connection(HOME, 0) == 1
    assert limits.admit_connection(HOME, 0) == 0
    assert limits.admit_connection(HOME, 0) is None
    assert limits.admit_connection(HOME, 1_800_000) == 0


def test_limits_off() -> None:
    """A harness may switch them off: no refusal, and the headers of a budget nobody touched."""
    limits = RequestLimits(RateLimits(is_on=False, signed_per_minute=3))
    verdicts = [admit(limits, 0, is_order=True) for _ in range(50)]
    assert all(verdict.retry_after_s is None for verdict in verdicts)
    last = verdicts[-1].headers
    assert (last["x-ratelimit-limit"], last["x-ratelimit-remaining"], last["x-ratelimit-remaining-1s"]) == (
        "3",
        "3",
        "10",
    )
    assert limits.admit_connection(HOME, 0) == 719


def test_ban_after_many_errors() -> None:
    """An address that collects 4xx and 5xx quickly is shut out as well; slowly, or switched off, it is not."""
    limits = RequestLimits(RateLimits(ban_after_errors=3))
    assert [limits.note_error(HOME, now_ms) for now_ms in (0, 1, 2)] == [False, False, True]
    assert limits.is_banned(HOME, 3)
    slow = RequestLimits(RateLimits(ban_after_errors=3, ban_window_ms=10))
    assert not any(slow.note_error(HOME, now_ms) for now_ms in (0, 10, 20, 30))
    never = RequestLimits(RateLimits(ban_after_errors=0))
    assert not any(never.note_error(HOME, 0) for _ in range(1_000))


def test_a_ban_can_be_ordered() -> None:
    """An address that did nothing can be banned until a moment."""
    limits = RequestLimits(RateLimits())
    limits.ban(HOME, until_ms=1_000)
    assert limits.is_banned(HOME, 999)
    assert not limits.is_banned(HOME, 1_000)


def test_memory_does_not_grow_with_the_number_of_callers() -> None:
    """A week of addresses that come once leaves no trace of them; who has used up a budget is still known."""
    limits = RequestLimits(RateLimits(signed_per_minute=2))
    held = [admit(limits, 0) for _ in range(3)][-1]
    for number in range(25_000):
        limits.admit(account=None, address=f"10.{number}", is_order=True, now_ms=number)
        limits.note_error(f"10.{number}", number)
    sizes = [len(one._by_caller) for one in (limits._minute, limits._second)]
    assert held.retry_after_s is not None
    assert max(*sizes, len(limits._errors)) <= 10_000


def test_unsigned_order_requests_of_two_addresses_are_counted_apart() -> None:
    """Nobody's orders are refused anyway, and they must not eat up another's ten a second."""
    limits = RequestLimits(RateLimits(orders_per_second=1))
    verdicts = [limits.admit(account=None, address=one, is_order=True, now_ms=0) for one in ("10.0.0.1", "10.0.0.2")]
    assert [verdict.retry_after_s for verdict in verdicts] == [None, None]
