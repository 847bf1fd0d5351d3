"""Streams that answer pings and tell nothing, and the request budget as people see it (P6, P8, P12)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.core import events as e
from daemon.core.commands import FeedSwitch, RenewAccountStream, Severity
from daemon.core.degraded import Degraded
from daemon.core.ledger import BudgetFacts, StreamFacts
from daemon.core.mode import Mode
from tests.builders import SECOND, a_position, a_stop, an_order
from tests.driven import MS, Driven


def holding() -> Driven:
    """A long and its stop, an ordinary morning, every row stamped by the venue."""
    guard = Driven()
    return guard.up([a_position(timestamp_ns=guard.now)], [a_stop(timestamp_ns=guard.now)])


def read_later(guard: Driven, *, stamp_after_ns: int, wait_ns: int = 31 * SECOND) -> None:
    """The slow cycle reads the position, which the venue stamped so long after the stream's row."""
    stream = guard.guarded().stream
    assert stream is not None
    guard.wait(wait_ns)
    guard.picture([a_position(timestamp_ns=stream.stamp_ns + stamp_after_ns)], [a_stop(timestamp_ns=stream.stamp_ns)])


def ledger(guard: Driven, budget: BudgetFacts | None = None, **topics: int) -> None:
    """The shell reads the ledger."""
    account = StreamFacts(connected_ns=1, pong_ns=guard.now, data_ns=guard.now, topics=topics)
    guard.give(e.LedgerRead(at_ns=guard.now, market=StreamFacts(), account=account, budget=budget))


# ---------------------------------------------------------------------- the market


def test_pongs_are_no_prices() -> None:
    """P6: the market stream answers pings and tells nothing: blind, said so, and the switch is not fed."""
    guard = Driven().up([], [an_order("b-1")])
    assert guard.state.mode is Mode.GUARDING
    guard.now += 13 * SECOND
    guard.all.clear()
    guard.tick(market_age_ns=SECOND, market_data_age_ns=13 * SECOND)
    assert guard.state.mode is Mode.BLIND
    assert "answers pings and has told nothing for 13.00 s" in guard.alerts(Degraded.BLIND_MARKET.value)[0].text
    assert guard.some(FeedSwitch, guard.all) == []


def test_a_silent_market_stream_is_told_as_silent() -> None:
    """P12: without pongs it is another trouble."""
    guard = holding()
    guard.now += 13 * SECOND
    guard.tick(market_age_ns=13 * SECOND, market_data_age_ns=13 * SECOND)
    assert "has been silent for" in guard.alerts(Degraded.BLIND_MARKET.value)[0].text


def test_an_older_journal_without_the_age_of_data_is_read_as_before() -> None:
    """P9: the field is new: left out, data is as young as the stream."""
    guard = holding()
    guard.tick(market_age_ns=SECOND)
    assert guard.state.mode is Mode.GUARDING


# ---------------------------------------------------------------------- the account


def test_a_read_that_is_younger_than_the_stream_shows_it_to_be_mute() -> None:
    """P6, P12: the venue changed the row half a minute after the stream's newest: named, stale, opened anew."""
    guard = holding()
    read_later(guard, stamp_after_ns=30 * SECOND)
    assert guard.state.health.account.mute == ("position",)
    assert guard.state.mode is Mode.BLIND
    assert "keeps back what a read shows (position)" in guard.alerts(Degraded.STREAM_MUTE.value)[0].text
    assert guard.some(RenewAccountStream, guard.wait(SECOND))
    assert guard.some(RenewAccountStream, guard.wait(10 * SECOND)) == []


@pytest.mark.parametrize("stamp_after_ns", [0, 5 * SECOND, 12 * SECOND])
def test_a_quiet_account_is_not_mute(stamp_after_ns: int) -> None:
    """P10: nothing happened, or it is under way: no alarm, however long the stream has been quiet."""
    guard = holding()
    for _ in range(4):
        guard.wait(31 * SECOND)
        guard.picture([a_position(timestamp_ns=guard.guarded().position.timestamp_ns)], [a_stop()])
    read_later(guard, stamp_after_ns=stamp_after_ns)
    assert guard.state.health.account.mute == ()


def test_rows_without_a_stamp_prove_nothing() -> None:
    """P12: a venue that stamps no rows is judged by the other signs."""
    guard = Driven().up([a_position(timestamp_ns=0)], [a_stop()])
    guard.wait(31 * SECOND)
    guard.picture([a_position(timestamp_ns=guard.now)], [a_stop()])
    assert guard.state.health.account.mute == ()


def test_a_read_just_after_the_streams_row_proves_nothing() -> None:
    """The stream had no time to tell it."""
    guard = holding()
    guard.wait(31 * SECOND)
    stream = guard.guarded().stream
    assert stream is not None
    guard.position(a_position(timestamp_ns=stream.stamp_ns))
    guard.picture([a_position(timestamp_ns=guard.now)], [a_stop()])
    assert guard.state.health.account.mute == ()


def test_it_is_over_when_the_stream_tells_the_row() -> None:
    """P12: the late row arrives: over, said once."""
    guard = holding()
    read_later(guard, stamp_after_ns=30 * SECOND)
    guard.now += 100 * MS
    guard.position(a_position(timestamp_ns=guard.now))
    assert guard.state.health.account.mute == ()
    assert Degraded.STREAM_MUTE.value not in guard.state.degraded


def test_it_is_over_with_the_connection() -> None:
    """A new connection tells its tables whole: nothing of the old one's silence counts."""
    guard = holding()
    read_later(guard, stamp_after_ns=30 * SECOND)
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="renewed"))
    assert guard.state.health.account.mute == ()
    assert guard.state.health.account.mute_ns == 0


def test_an_order_that_the_stream_never_told_shows_it_to_be_mute() -> None:
    """P6: placed by a bot, read over REST, and long after its time the order table has said nothing since."""
    guard = holding()
    told_ns = guard.now
    ledger(guard, order=told_ns)
    placed_ns = guard.now + 15 * SECOND
    guard.wait(31 * SECOND)
    row = guard.guarded().stream
    assert row is not None
    guard.picture(
        [a_position(timestamp_ns=row.stamp_ns)],
        [a_stop(timestamp_ns=row.stamp_ns), an_order("b-1", timestamp_ns=placed_ns)],
    )
    assert guard.state.health.account.mute == ("order",)


def test_an_order_that_the_stream_told_is_no_such_sign() -> None:
    """It told it, and a read shows it again."""
    guard = holding()
    ledger(guard, order=guard.now)
    placed_ns = guard.now + 15 * SECOND
    guard.now = placed_ns
    bot = an_order("b-1", timestamp_ns=placed_ns)
    guard.order(bot)
    guard.wait(31 * SECOND)
    guard.wait(SECOND)
    guard.picture([a_position()], [a_stop(), bot])
    assert guard.state.health.account.mute == ()


# ---------------------------------------------------------------------- the budget


def test_a_drained_budget_is_a_named_state_until_there_is_room_again() -> None:
    """P8: at the reserve reads stop; a bot that works at the limit is one alarm, not a hundred."""
    guard = holding()
    for tokens, is_drained in ((30, False), (29, True), (35, True), (41, True), (42, False)):
        ledger(guard, BudgetFacts(tokens=tokens, capacity=120, reserve=30))
        assert (Degraded.BUDGET_DRAINED.value in guard.state.degraded) is is_drained, tokens
    assert len(guard.alerts(Degraded.BUDGET_DRAINED.value)) == 2
    assert guard.state.mode is Mode.GUARDING


def test_a_ban_is_a_named_state_and_ends_by_itself() -> None:
    """P8, P12: critical, with how long nothing is sent and what protects meanwhile."""
    guard = holding()
    until_ns = guard.now + 120 * SECOND
    ledger(guard, BudgetFacts(tokens=0, capacity=120, reserve=30, paused_until_ns=until_ns, is_banned=True))
    (alert,) = guard.alerts(Degraded.ADDRESS_BANNED.value)
    assert alert.severity is Severity.CRITICAL
    assert "what rests on the exchange is what protects" in alert.text
    guard.wait(121 * SECOND)
    assert Degraded.ADDRESS_BANNED.value not in guard.state.degraded


def test_a_venue_without_a_budget_has_no_such_states() -> None:
    """Nothing is known of it, so nothing is said."""
    guard = holding()
    ledger(guard)
    assert not {Degraded.BUDGET_DRAINED.value, Degraded.ADDRESS_BANNED.value} & set(guard.state.degraded)


def test_the_ledger_is_part_of_what_the_guard_knows() -> None:
    """P9: it is an event like any other, so a replay shows what was known."""
    guard = holding()
    ledger(guard, BudgetFacts(tokens=90, capacity=120, reserve=30), position=5)
    assert guard.state.ledger.at_ns == guard.now
    assert guard.state.ledger.account.topics == {"position": 5}
    assert replace(guard.state.ledger).budget == BudgetFacts(tokens=90, capacity=120, reserve=30)
