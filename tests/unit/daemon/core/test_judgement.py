"""Degraded states: said once when they begin, once when they end, and never left on by mistake (P12)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import Policy, SwitchMode, SwitchPolicy
from connectors.vocabulary import OrderStatus
from daemon.core import events as e
from daemon.core.commands import FeedSwitch, PlaceStop, ReadPicture, Severity
from daemon.core.degraded import Degraded
from daemon.core.mode import Mode
from tests.builders import SECOND, a_key, a_position, a_stop, an_order
from tests.driven import MS, Driven


def told(guard: Driven, state: Degraded) -> list[str]:
    """The phases that were told of one state."""
    return [dict(alert.facts)["phase"] for alert in guard.alerts(state.value)]


def lose(guard: Driven, feed: e.FeedName) -> None:
    """A stream breaks."""
    guard.give(e.FeedLost(at_ns=guard.now, feed=feed, reason="reset"))


def fed(policy: Policy | None = None) -> Driven:
    """A guard that has armed the switch for a quote."""
    guard = Driven(policy).up(orders=[an_order()])
    for feed in guard.some(FeedSwitch, guard.all):
        guard.give(
            e.SwitchAnswered(at_ns=guard.now, command_id=feed.command_id, sent_ns=guard.now, timeout_ns=feed.timeout_ns)
        )
    return guard


# ---------------------------------------------------------------------- the account


def test_an_ordinary_morning_has_nothing_to_tell() -> None:
    """P10: a start that goes well is no degraded state."""
    guard = Driven().up([a_position()], [a_stop()])
    assert guard.state.degraded == {}
    assert [a for a in guard.alerts() if a.topic == "degraded"] == []


def test_a_slow_start_is_given_its_time() -> None:
    """P12: blind is said when the streams are still missing after `stale_after_s`, not before."""
    guard = Driven()
    guard.start()
    guard.wait(11 * SECOND)
    assert told(guard, Degraded.BLIND_MARKET) == []
    guard.wait(SECOND)
    assert told(guard, Degraded.BLIND_MARKET) == told(guard, Degraded.BLIND_ACCOUNT) == ["began"]


@pytest.mark.parametrize("feed", list(e.FeedName))
def test_a_flapping_line_is_one_message(feed: e.FeedName) -> None:
    """P10: back for less than two seconds and lost again: began once, and ended once when it stays."""
    guard = Driven().up()
    state = Degraded.BLIND_MARKET if feed is e.FeedName.MARKET else Degraded.BLIND_ACCOUNT
    for _ in range(4):
        lose(guard, feed)
        guard.wait(SECOND)
        guard.give(e.FeedLive(at_ns=guard.now, feed=feed))
        guard.now += 300 * MS
        guard.tick()
    assert told(guard, state) == ["began"]
    guard.wait(3 * SECOND)
    assert told(guard, state) == ["began", "ended"]


def test_silence_on_a_living_line_is_told_as_silence() -> None:
    """P12: down and silent are two causes, and people mend them differently."""
    guard = Driven().up()
    guard.tick(market_age_ns=13 * SECOND)
    assert "silent for 13.00 s" in guard.alerts(Degraded.BLIND_MARKET.value)[0].text
    lose(guard, e.FeedName.ACCOUNT)
    assert "down: reset" in guard.alerts(Degraded.BLIND_ACCOUNT.value)[0].text


def test_a_full_disk_is_told_and_its_end() -> None:
    """P12: JOURNAL_FAILED begins and ends; critical, since nothing after it can be explained."""
    guard = Driven().up()
    guard.tick(journal_ok=False)
    guard.tick(journal_ok=False)
    guard.tick()
    assert told(guard, Degraded.JOURNAL_FAILED) == ["began", "ended"]
    assert guard.alerts(Degraded.JOURNAL_FAILED.value)[0].severity is Severity.CRITICAL
    assert guard.alerts(Degraded.JOURNAL_FAILED.value)[1].severity is Severity.NOTE


def test_a_short_want_of_budget_is_no_news() -> None:
    """P8, P10: one refused read that works a moment later: silence; a second of it: said, with the reason."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    busy = e.RequestNotSent(
        at_ns=guard.now, command_id=place.command_id, reason="no budget", retry_after_ns=0, is_limit=True
    )
    guard.give(busy)
    again = guard.only(PlaceStop, guard.wait(600 * MS))
    assert told(guard, Degraded.BUDGET_EMPTY) == []
    guard.give(replace(busy, at_ns=guard.now, command_id=again.command_id))
    third = guard.only(PlaceStop, guard.wait(1100 * MS))
    assert told(guard, Degraded.BUDGET_EMPTY) == ["began"]
    assert "no budget" in guard.alerts(Degraded.BUDGET_EMPTY.value)[0].text
    guard.rest(third)
    assert told(guard, Degraded.BUDGET_EMPTY) == ["began", "ended"]


def test_a_venue_that_cannot_be_reached_is_not_an_empty_budget() -> None:
    """P12: no connection for a second: VENUE_UNREACHABLE by name, over with the first answer, and nothing of budget."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    reason = "no connection: ConnectError"
    gone = e.RequestNotSent(at_ns=guard.now, command_id=place.command_id, reason=reason, retry_after_ns=0)
    guard.give(gone)
    again = guard.only(PlaceStop, guard.wait(600 * MS))
    assert told(guard, Degraded.VENUE_UNREACHABLE) == []
    guard.give(replace(gone, at_ns=guard.now, command_id=again.command_id))
    third = guard.only(PlaceStop, guard.wait(1100 * MS))
    assert "no connection" in guard.alerts(Degraded.VENUE_UNREACHABLE.value)[0].text
    guard.rest(third)
    assert told(guard, Degraded.VENUE_UNREACHABLE) == ["began", "ended"]
    assert told(guard, Degraded.BUDGET_EMPTY) == []


def test_pictures_that_fail_for_three_cycles_are_overdue() -> None:
    """P12: said to the second, and over with the first that succeeds."""
    guard = Driven().up()
    commands: list[object] = []
    while not told(guard, Degraded.PICTURE_OVERDUE):
        for read in guard.some(ReadPicture, commands):
            guard.give(e.RequestNotSent(at_ns=guard.now, command_id=read.command_id, reason="503", retry_after_ns=0))
        commands = guard.wait(SECOND)
    overdue_ns = guard.now - guard.state.pictures.answered_ns
    assert 90 * SECOND <= overdue_ns < 91 * SECOND
    while guard.state.pictures.command_id is None:
        guard.wait(SECOND)
    guard.picture()
    assert told(guard, Degraded.PICTURE_OVERDUE) == ["began", "ended"]


def test_a_hedge_row_is_named_until_it_is_flat() -> None:
    """P12: unguarded positions are named, each."""
    guard = Driven().up()
    for strategy in ("Long", "Short"):
        guard.position(a_position(key=a_key(strategy=strategy)))
    assert "XBTUSDT:Long" in guard.alerts(Degraded.HEDGE_MODE.value)[0].text
    for strategy in ("Long", "Short"):
        guard.position(a_position(0, key=a_key(strategy=strategy)))
    assert told(guard, Degraded.HEDGE_MODE) == ["began", "ended"]


@pytest.mark.parametrize(
    ("mode", "timeout_s", "is_told"),
    [(SwitchMode.AUTO, 60, True), (SwitchMode.AUTO, 600, True), (SwitchMode.OFF, 60, False)],
    ids=["auto", "fed rarely", "off"],
)
def test_a_switch_of_which_nothing_is_known_is_told_when_reading_takes_long(
    mode: SwitchMode, timeout_s: int, *, is_told: bool
) -> None:
    """P12: no journal tells whether the process before armed it, and no picture comes for ten seconds."""
    guard = Driven(Policy(switch=SwitchPolicy(mode=mode, timeout_s=Decimal(timeout_s))))
    guard.start()
    guard.connect([a_position()], [a_stop()])
    guard.wait(9 * SECOND)
    assert told(guard, Degraded.SWITCH_UNFED) == []
    guard.wait(2 * SECOND)
    assert (Degraded.SWITCH_UNFED.value in guard.state.degraded) is is_told


@pytest.mark.parametrize("mode", [SwitchMode.AUTO, SwitchMode.ALWAYS])
def test_a_running_countdown_while_blind_is_told(mode: SwitchMode) -> None:
    """P6: every order will go, stops too, in so many seconds; over when the guard sees again."""
    guard = fed(Policy(switch=SwitchPolicy(mode=mode)))
    guard.now += 5 * SECOND
    lose(guard, e.FeedName.MARKET)
    assert "in 55.00 s" in guard.alerts(Degraded.SWITCH_UNFED.value)[0].text
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.MARKET))
    assert guard.state.mode is Mode.SYNCING
    assert told(guard, Degraded.SWITCH_UNFED) == ["began", "ended"]


def test_a_switch_that_is_not_ours_is_not_missed() -> None:
    """Mode off, or disarmed: blind without a word of the countdown."""
    for guard in (fed(Policy(switch=SwitchPolicy(mode=SwitchMode.OFF))), Driven().up()):
        lose(guard, e.FeedName.MARKET)
        assert told(guard, Degraded.SWITCH_UNFED) == []


# ---------------------------------------------------------------------- one position


def test_a_position_without_confirmed_cover_is_told_in_time() -> None:
    """P2, P12: two seconds after it was known; with the wanted trigger; over when it rests; a warning first."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.wait(1900 * MS)
    assert told(guard, Degraded.UNCOVERED) == []
    guard.wait(100 * MS)
    alert = guard.alerts(Degraded.UNCOVERED.value)[0]
    assert alert.severity is Severity.WARNING
    assert "+100 has had no confirmed stop for 2.00 s, wanted at 918" in alert.text
    guard.rest(place)
    assert told(guard, Degraded.UNCOVERED) == ["began", "ended"]


def test_no_room_for_a_stop_is_told() -> None:
    """P12: found at the start between floor and liquidation."""
    guard = Driven().up([a_position()], mark=901)
    assert told(guard, Degraded.STOP_WORTHLESS) == ["began"]
    guard.mark(1000)
    assert told(guard, Degraded.STOP_WORTHLESS) == ["began", "ended"]


def test_a_liquidation_price_that_nobody_knows_is_told_after_a_moment() -> None:
    """P12: rows come in pieces, so not at once."""
    guard = Driven().up()
    guard.position(a_position(liquidation_price=None))
    assert told(guard, Degraded.LIQUIDATION_UNKNOWN) == []
    guard.wait(2 * SECOND)
    assert told(guard, Degraded.LIQUIDATION_UNKNOWN) == ["began"]
    guard.position(a_position())
    assert told(guard, Degraded.LIQUIDATION_UNKNOWN) == ["began", "ended"]


def test_the_eighth_stop_of_a_symbol_is_told() -> None:
    """P12: bots use up the venue's ten."""
    guard = Driven().up([a_position()], [a_stop(f"s-{n}", f"bot-{n}") for n in range(7)])
    assert told(guard, Degraded.STOPS_CROWDED) == []
    guard.rest(guard.only(PlaceStop, guard.all))
    assert told(guard, Degraded.STOPS_CROWDED) == ["began"]


def test_guards_that_want_other_stops_are_told() -> None:
    """P12: we put the form right, and a newer stop of the other form stands in its place; it is let be, and said."""
    old = a_stop("c", quantity=None, is_close=True)
    theirs = a_stop("d", "sw-7-XBTUSDT-L-s3", quantity=None, is_close=True)
    guard = Driven().up([a_position()], [old])
    ours = guard.rest(guard.only(PlaceStop, guard.all))
    guard.order(replace(old, status=OrderStatus.CANCELED))
    guard.order(theirs)
    guard.order(replace(ours, status=OrderStatus.CANCELED))
    assert told(guard, Degraded.GUARDS_DISAGREE) == ["began"]
    assert guard.guarded().covered_ns
    guard.order(replace(theirs, status=OrderStatus.CANCELED))
    assert told(guard, Degraded.GUARDS_DISAGREE) == ["began", "ended"]


def test_a_silent_symbol_is_its_own_state_and_a_dead_stream_is_not() -> None:
    """P12: the mark of one symbol a minute old on a living stream; with the stream down, only the account's is told."""
    guard = Driven().up([a_position()], [a_stop()])
    row = guard.guarded().position
    for _ in range(62):
        if guard.state.pictures.command_id is not None:
            guard.picture([row], [a_stop()])
        guard.wait(SECOND)
    assert Degraded.BLIND_MARKET in guard.guarded().degraded
    assert guard.state.mode is Mode.GUARDING
    lose(guard, e.FeedName.MARKET)
    assert guard.guarded().degraded == ()
    assert Degraded.BLIND_MARKET.value in guard.state.degraded


def test_a_flat_position_has_no_states() -> None:
    """P10: closed while uncovered: what was wrong is over, and said to be."""
    guard = Driven().up()
    guard.position(a_position())
    guard.wait(3 * SECOND)
    assert guard.guarded().degraded == (Degraded.UNCOVERED,)
    guard.position(a_position(0))
    assert guard.guarded().degraded == ()
    assert told(guard, Degraded.UNCOVERED) == ["began", "ended"]


def test_states_of_two_positions_do_not_mix() -> None:
    """Each symbol has its own, in the order of the enum."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    refused = e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="no")
    guard.give(refused)
    guard.position(a_position(symbol="NEWUSDT", liquidation_price=Decimal(900)))
    guard.wait(3 * SECOND)
    assert guard.guarded().degraded == (Degraded.UNCOVERED, Degraded.COVER_REFUSED)
    assert guard.guarded("NEWUSDT").degraded == (Degraded.UNCOVERED, Degraded.LIQUIDATION_UNKNOWN)
