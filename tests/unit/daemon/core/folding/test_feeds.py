"""Signs of life of streams and process, and the mode that follows from them (P6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.policy import Policy
from daemon.core import events as e
from daemon.core.degraded import Degraded
from daemon.core.draft import Draft
from daemon.core.folding.feeds import account_is_fresh, can_see, clock_is_off, loop_is_stalled
from daemon.core.mode import Mode
from tests.builders import SECOND, a_position
from tests.driven import MS, Driven


def draft_of(guard: Driven) -> Draft:
    """The state, opened for reading."""
    return Draft(guard.state, guard.now)


def lose(guard: Driven, feed: e.FeedName, reason: str = "reset") -> None:
    """A stream breaks."""
    guard.give(e.FeedLost(at_ns=guard.now, feed=feed, reason=reason))


def test_a_guard_that_sees_and_acts() -> None:
    """P6: all well."""
    draft = draft_of(Driven().up())
    assert can_see(draft)
    assert account_is_fresh(draft)
    assert not loop_is_stalled(draft)
    assert not clock_is_off(draft)


@pytest.mark.parametrize(
    ("ages", "sees"),
    [
        ({"market_age_ns": 12 * SECOND}, True),
        ({"market_age_ns": 12 * SECOND + 1}, False),
        ({"account_age_ns": 12 * SECOND}, True),
        ({"account_age_ns": 12 * SECOND + 1}, False),
        ({"loop_lag_ns": 2 * SECOND}, True),
        ({"loop_lag_ns": 2 * SECOND + 1}, False),
        ({"clock_skew_ns": 3 * SECOND}, True),
        ({"clock_skew_ns": 3 * SECOND + 1}, False),
        ({"clock_skew_ns": -3 * SECOND - 1}, False),
    ],
    ids=str,
)
def test_each_limit_to_the_nanosecond(ages: dict[str, int], sees: bool) -> None:
    """P6: at the limit is still well, beyond it is not, and a clock may be off either way."""
    guard = Driven().up()
    guard.tick(**ages)
    assert can_see(draft_of(guard)) is sees
    assert (guard.state.mode is Mode.GUARDING) is sees


def test_what_the_second_reports_is_kept() -> None:
    """Every figure of the report is in the state, for status and decisions."""
    guard = Driven().up()
    guard.give(
        e.HealthTicked(
            at_ns=guard.now, market_age_ns=1, account_age_ns=2, loop_lag_ns=3, clock_skew_ns=-4, journal_ok=False
        )
    )
    health = guard.state.health
    assert (health.market.age_ns, health.account.age_ns, health.loop_lag_ns, health.clock_skew_ns) == (1, 2, 3, -4)
    assert (health.is_journal_ok, health.last_tick_ns) == (False, guard.now)


def test_a_loss_that_is_said_again_keeps_its_beginning() -> None:
    """Reconnecting fails again and again: lost since the first time, for the newest reason."""
    guard = Driven().up()
    lose(guard, e.FeedName.MARKET, "reset")
    since_ns = guard.state.health.market.since_ns
    guard.now += SECOND
    lose(guard, e.FeedName.MARKET, "refused")
    assert guard.state.health.market.since_ns == since_ns
    assert guard.state.health.market.reason == "refused"


def test_losing_the_account_stream_takes_its_table_with_it() -> None:
    """P2: what it listed is no longer a live witness, and a picture is wanted at once."""
    guard = Driven().up([a_position()])
    guard.wait(SECOND)
    assert guard.state.positions_listed_ns
    lose(guard, e.FeedName.ACCOUNT)
    assert guard.state.positions_listed_ns == 0
    assert guard.is_reading()


def test_losing_the_market_stream_does_not() -> None:
    """The account is as well known as before."""
    guard = Driven().up()
    guard.wait(SECOND)
    lose(guard, e.FeedName.MARKET)
    assert guard.state.positions_listed_ns
    assert not guard.is_reading()


def test_one_stream_alone_is_not_sight() -> None:
    """STARTING stays until both are live."""
    guard = Driven()
    guard.start()
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.MARKET))
    assert guard.state.mode is Mode.STARTING
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert guard.state.mode is Mode.SYNCING


def test_a_picture_asked_before_sight_came_back_does_not_end_syncing() -> None:
    """P2: it may not hold what happened between."""
    guard = Driven()
    guard.start()
    guard.now += SECOND
    guard.connect()
    guard.picture()
    assert guard.state.mode is Mode.SYNCING
    guard.wait(250 * MS)
    guard.picture()
    assert guard.state.mode is Mode.GUARDING


def test_blindness_while_syncing() -> None:
    """The stream is lost again before the picture came: blind, and syncing anew when it is back."""
    guard = Driven()
    guard.start()
    guard.connect()
    lose(guard, e.FeedName.ACCOUNT)
    assert guard.state.mode is Mode.BLIND
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert guard.state.mode is Mode.SYNCING


@pytest.mark.parametrize(("count", "text"), [(0, "0 open positions"), (1, "1 open position.")])
def test_the_beginning_of_guarding_is_told(count: int, text: str) -> None:
    """P10: once, with the number of open positions; flat rows are not counted."""
    guard = Driven().up([a_position(100 * count)])
    told = guard.alerts("guarding")
    assert len(told) == 1
    assert text in told[0].text


def test_an_observing_guard_says_so() -> None:
    """P12: nobody shall take it for more than it is."""
    guard = Driven(replace(Policy(), observe=True)).up()
    assert "Observing only" in guard.alerts("guarding")[0].text


def test_a_stopping_guard_does_not_go_back() -> None:
    """Streams that come and go while it stops do not matter."""
    guard = Driven().up()
    guard.give(e.StopAsked(at_ns=guard.now))
    lose(guard, e.FeedName.ACCOUNT)
    assert guard.state.mode is Mode.STOPPING


def test_a_message_before_the_start_moves_nothing() -> None:
    """The shell's first event is Started; what comes before it is folded only."""
    guard = Driven()
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.MARKET))
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert guard.state.mode is Mode.STARTING
    assert guard.last == ()


def doubt(guard: Driven, feed: e.FeedName, table: str, problem: str = "a frame is not JSON") -> None:
    """A table cannot be believed, or is whole again."""
    guard.give(e.TableDoubted(at_ns=guard.now, feed=feed, table=table, problem=problem, unreadable=3))


@pytest.mark.parametrize(("feed", "table"), [(e.FeedName.MARKET, "instrument"), (e.FeedName.ACCOUNT, "order")])
def test_a_doubted_table_is_not_fresh_however_lively_its_stream(feed: e.FeedName, table: str) -> None:
    """P6, P12: named while it lasts, neither seen nor acted by, and over with the fresh partial and a picture."""
    guard = Driven().up()
    doubt(guard, feed, table)
    assert not can_see(draft_of(guard))
    assert guard.state.mode is Mode.BLIND
    assert [state for state in guard.state.degraded if "blind" in state] == [], "the stream itself is well"
    (told,) = guard.alerts(Degraded.TABLE_DOUBTED.value)
    assert f"{table} (a frame is not JSON)" in told.text
    assert guard.state.health.feed(feed).unreadable == 3
    guard.tick()
    assert guard.state.mode is Mode.BLIND, "signs of life do not make a table whole"
    doubt(guard, feed, table, "")
    guard.wait(250 * MS)
    guard.picture()
    assert guard.state.mode is Mode.GUARDING
    assert len(guard.alerts(Degraded.TABLE_DOUBTED.value)) == 2


def test_every_doubted_table_has_to_be_whole() -> None:
    """P6: two in doubt, one told anew: still not fresh."""
    guard = Driven().up()
    doubt(guard, e.FeedName.ACCOUNT, "order")
    doubt(guard, e.FeedName.ACCOUNT, "position")
    doubt(guard, e.FeedName.ACCOUNT, "order", "")
    assert not account_is_fresh(draft_of(guard))
    doubt(guard, e.FeedName.ACCOUNT, "position", "")
    assert account_is_fresh(draft_of(guard))


def test_doubts_end_with_their_connection_and_outlast_being_live() -> None:
    """P6: a partial that could not be read is doubted before the stream calls itself live; a new line starts anew."""
    guard = Driven().up()
    lose(guard, e.FeedName.ACCOUNT)
    doubt(guard, e.FeedName.ACCOUNT, "margin")
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert not account_is_fresh(draft_of(guard))
    lose(guard, e.FeedName.ACCOUNT)
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert account_is_fresh(draft_of(guard))


def test_a_doubted_position_table_lists_nobody_as_flat() -> None:
    """P2: what the table said of absent positions counts no more until it is listed again."""
    guard = Driven().up()
    assert guard.state.positions_listed_ns
    doubt(guard, e.FeedName.ACCOUNT, "position")
    assert guard.state.positions_listed_ns == 0
