"""Modes: the table, and how feeds, pictures and stops move it."""

from __future__ import annotations

import pytest

from daemon.core import events as e
from daemon.core.commands import FindOrders, PlaceStop, ReadPicture
from daemon.core.degraded import Degraded
from daemon.core.errors import InvariantBroken
from daemon.core.mode import TABLE, Mode, ModeInput, next_mode
from tests.builders import SECOND, a_position
from tests.driven import Driven


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("moved_by", list(ModeInput))
def test_every_pair_is_in_the_table_or_breaks_an_invariant(mode: Mode, moved_by: ModeInput) -> None:
    """A known state or the one error: nothing else."""
    if (mode, moved_by) in TABLE:
        assert isinstance(next_mode(mode, moved_by), Mode)
    else:
        with pytest.raises(InvariantBroken):
            next_mode(mode, moved_by)


def test_a_start_leads_to_guarding_only_after_a_picture() -> None:
    """Streams alone are not enough: the picture asked since then has to be in."""
    guard = Driven()
    guard.start()
    assert guard.is_reading()
    guard.connect()
    assert guard.state.mode is Mode.SYNCING
    guard.now += SECOND
    guard.picture()
    guard.wait(SECOND)
    if guard.state.pictures.command_id is not None:
        guard.picture()
    assert guard.state.mode is Mode.GUARDING


@pytest.mark.parametrize("feed", list(e.FeedName))
def test_a_lost_stream_blinds_and_a_picture_is_needed_to_see_again(feed: e.FeedName) -> None:
    """P6, P12: blind at once and said once; back through SYNCING."""
    guard = Driven().up()
    guard.wait(SECOND)
    guard.give(e.FeedLost(at_ns=guard.now, feed=feed, reason="reset"))
    assert guard.state.mode is Mode.BLIND
    state = Degraded.BLIND_MARKET if feed is e.FeedName.MARKET else Degraded.BLIND_ACCOUNT
    assert len(guard.alerts(state.value)) == 1
    guard.wait(SECOND)
    if guard.state.pictures.command_id is not None:
        guard.picture()
    guard.wait(SECOND)
    guard.give(e.FeedLive(at_ns=guard.now, feed=feed))
    assert guard.state.mode is Mode.SYNCING
    guard.wait(SECOND)
    guard.picture()
    assert guard.state.mode is Mode.GUARDING
    assert [a.reason.value for a in guard.alerts(state.value)] == ["degraded", "recovered"]


@pytest.mark.parametrize(
    ("ages", "state"),
    [
        ({"market_age_ns": 13 * SECOND}, Degraded.BLIND_MARKET),
        ({"account_age_ns": 13 * SECOND}, Degraded.BLIND_ACCOUNT),
        ({"loop_lag_ns": 3 * SECOND}, Degraded.LOOP_STALLED),
        ({"clock_skew_ns": -4 * SECOND}, Degraded.CLOCK_SKEW),
    ],
    ids=lambda value: value.value if isinstance(value, Degraded) else "",
)
def test_each_loss_of_sight_is_named(ages: dict[str, int], state: Degraded) -> None:
    """P12: staleness, a stalled loop, a clock that is off: each blinds and has its name."""
    guard = Driven().up()
    guard.tick(**ages)
    assert guard.state.mode is Mode.BLIND
    assert state.value in guard.state.degraded
    assert guard.alerts(state.value)


def test_a_failing_journal_is_said_and_guarding_goes_on() -> None:
    """P12: risk-reducing commands still go out."""
    guard = Driven().up()
    guard.tick(journal_ok=False)
    assert guard.state.mode is Mode.GUARDING
    assert guard.alerts(Degraded.JOURNAL_FAILED.value)
    assert guard.only(PlaceStop, guard.position(a_position()))


def test_pictures_that_fail_for_long_blind() -> None:
    """P12: the slow cycle cannot be had for three rounds."""
    guard = Driven().up()
    commands: list[object] = []
    for _ in range(100):
        for read in guard.some(ReadPicture, commands):
            guard.give(e.RequestNotSent(at_ns=guard.now, command_id=read.command_id, reason="503", retry_after_ns=0))
        commands = guard.wait(SECOND)
    assert guard.state.mode is Mode.BLIND
    assert guard.alerts(Degraded.PICTURE_OVERDUE.value)
    assert guard.alerts(Degraded.VENUE_UNREACHABLE.value)


def test_a_new_position_is_covered_while_the_market_is_blind() -> None:
    """P2: account news and requests are enough to rest a stop."""
    guard = Driven().up()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.MARKET, reason="x"))
    assert guard.only(PlaceStop, guard.position(a_position()))


def test_hedge_mode_is_refused_by_name() -> None:
    """P12: rows of hedge mode are not guarded, and that is said."""
    guard = Driven().up()
    row = a_position()
    key = type(row.key)(account=7, symbol="XBTUSDT", strategy="Long")
    guard.position(a_position(key=key))
    assert guard.some(PlaceStop, guard.all) == []
    assert "XBTUSDT:Long" in guard.alerts(Degraded.HEDGE_MODE.value)[0].text


def test_a_key_that_only_a_person_can_mend_is_a_named_state() -> None:
    """P12: misconfigured until a request succeeds again."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.give(e.RequestMisconfigured(at_ns=guard.now, command_id=place.command_id, reason="key disabled"))
    assert guard.alerts(Degraded.MISCONFIGURED.value)
    again = guard.only(PlaceStop, guard.wait(6 * SECOND))
    guard.rest(again)
    assert Degraded.MISCONFIGURED.value not in guard.state.degraded


def test_a_silent_symbol_on_a_living_stream_is_named() -> None:
    """P12: the stream lives, this symbol's mark is a minute old."""
    guard = Driven().up()
    guard.position(a_position())
    guard.rest()
    for _ in range(70):
        commands = guard.wait(SECOND)
        if guard.some(ReadPicture, commands):
            row = next(iter(guard.state.orders["XBTUSDT"].values())).order
            guard.picture([a_position()], [row])
    assert Degraded.BLIND_MARKET in guard.guarded().degraded
    guard.mark(1000)
    assert guard.guarded().degraded == ()


def test_a_restart_from_a_journal_asks_for_what_was_unanswered() -> None:
    """P5, P7: a journalled PlaceStop without an outcome is unknown: FindOrders before anything else."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.now += 5 * SECOND
    commands = guard.give(e.Started(at_ns=guard.now, account=7, unanswered=(place.command_id,)))
    assert guard.only(FindOrders, commands).client_order_ids == (place.client_order_id,)
    assert guard.some(PlaceStop, commands) == []
    assert guard.state.mode is Mode.STARTING
