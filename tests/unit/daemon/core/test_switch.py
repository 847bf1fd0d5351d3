"""The dead man's switch: fed as a statement, disarmed when only protection is open."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from config.policy import Policy, SwitchMode, SwitchPolicy
from connectors.vocabulary import OrderStatus
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import DisarmSwitch, Exit, FeedSwitch, PlaceStop, ReadPicture, Severity
from daemon.core.degraded import Degraded
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.state import SwitchState
from tests.builders import SECOND, a_position, a_stop, an_order
from tests.driven import MS, Driven


def answer(guard: Driven, command: FeedSwitch | DisarmSwitch, timeout_ns: int | None = None) -> tuple[object, ...]:
    """The venue confirms."""
    asked = command.timeout_ns if isinstance(command, FeedSwitch) else 0
    return guard.give(
        e.SwitchAnswered(
            at_ns=guard.now,
            command_id=command.command_id,
            sent_ns=guard.now,
            timeout_ns=asked if timeout_ns is None else timeout_ns,
        )
    )


def disarmed(policy: Policy | None = None) -> Driven:
    """An ordinary morning with the switch confirmed off."""
    guard = Driven(policy).up()
    answer(guard, guard.only(DisarmSwitch, guard.all))
    return guard


def test_auto_is_disarmed_while_only_protection_is_open() -> None:
    """P6: with stops alone, the guard's death must leave them in place."""
    guard = disarmed()
    guard.order(a_stop("x", "their-own"))
    assert guard.state.switch.state is SwitchState.DISARMED
    assert guard.some(FeedSwitch, guard.all) == []


def test_auto_arms_for_an_order_that_may_add_exposure_and_feeds_every_quarter() -> None:
    """P6: a bot quotes: armed at once, fed every 15 of 60 seconds, disarmed after the quote is gone."""
    guard = disarmed()
    quote = an_order()
    feed = guard.only(FeedSwitch, guard.order(quote))
    assert feed.timeout_ns == 60 * SECOND
    answer(guard, feed)
    assert guard.some(FeedSwitch, guard.wait(14 * SECOND)) == []
    answer(guard, guard.only(FeedSwitch, guard.wait(SECOND)))
    commands = guard.order(replace(quote, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    assert guard.only(DisarmSwitch, commands)


def test_a_process_that_starts_feeds_as_soon_as_it_guards() -> None:
    """P6: the clock was set back meanwhile: by its hands the last feed was two seconds ago, in truth 26 had gone by."""
    guard = disarmed()
    quote = an_order()
    answer(guard, guard.only(FeedSwitch, guard.order(quote)))
    guard.now += 2 * SECOND
    before = len(guard.all)
    guard.up(orders=[quote])
    assert len(guard.some(FeedSwitch, guard.all[before:])) == 1
    assert not guard.alerts(Degraded.SWITCH_UNFED.value, guard.all[before:])


def test_disarming_waits_for_the_last_feed() -> None:
    """P6: a late feed would arm again, so its outcome is awaited first."""
    guard = disarmed()
    quote = an_order()
    feed = guard.only(FeedSwitch, guard.order(quote))
    commands = guard.order(replace(quote, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    assert guard.some(DisarmSwitch, commands) == []
    assert guard.only(DisarmSwitch, answer(guard, feed))


def test_a_blind_guard_does_not_feed_and_says_so() -> None:
    """P6: the account stream is lost: no feed, and people hear that the countdown runs."""
    guard = disarmed()
    answer(guard, guard.only(FeedSwitch, guard.order(an_order())))
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="x"))
    assert guard.some(FeedSwitch, guard.wait(40 * SECOND)) == []
    assert guard.alerts(Degraded.SWITCH_UNFED.value)
    guard.wait(30 * SECOND)
    assert guard.alerts("expired")
    assert guard.state.switch.state is SwitchState.UNKNOWN


def test_a_feed_that_waits_for_a_read_of_the_account_is_said() -> None:
    """P12: the stream is back, the read that has to follow hangs, and meanwhile the next feed is overdue."""
    guard = disarmed()
    answer(guard, guard.only(FeedSwitch, guard.order(an_order())))
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="x"))
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert guard.state.mode is Mode.SYNCING
    assert Degraded.SWITCH_UNFED.value not in guard.state.degraded
    guard.wait(16 * SECOND)
    assert guard.state.mode is Mode.SYNCING
    assert "the account is being read" in guard.alerts(Degraded.SWITCH_UNFED.value)[-1].text


def test_an_unconfirmed_feed_is_said_and_repeated() -> None:
    """P12: no answer to a feed: a named state, and the feed is repeated, which is harmless."""
    guard = disarmed()
    feed = guard.only(FeedSwitch, guard.order(an_order()))
    guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=feed.command_id, reason="time-out"))
    assert guard.alerts(Degraded.SWITCH_UNCONFIRMED.value)
    answer(guard, guard.only(FeedSwitch, guard.wait(SECOND)))
    assert guard.state.degraded == {}


def test_a_wrong_countdown_is_noticed() -> None:
    """P6: the venue took milliseconds for seconds: `cancelTime - now` is not what was asked."""
    guard = disarmed()
    feed = guard.only(FeedSwitch, guard.order(an_order()))
    answer(guard, feed, timeout_ns=60_000_000)
    assert guard.alerts(Degraded.SWITCH_UNCONFIRMED.value)


def test_a_disarm_is_repeated_on_a_slow_cycle() -> None:
    """There is one timer, and another client may have armed it."""
    guard = disarmed(Policy(switch=SwitchPolicy(redisarm_every_s=Decimal(50))))
    assert guard.only(DisarmSwitch, guard.wait(50 * SECOND))


def test_off_and_observe_never_write() -> None:
    """The switch may be a bot's own."""
    for policy in (Policy(switch=SwitchPolicy(mode=SwitchMode.OFF)), Policy(observe=True)):
        guard = Driven(policy).up(orders=[an_order()])
        guard.wait(60 * SECOND)
        assert guard.some(FeedSwitch, guard.all) == []
        assert guard.some(DisarmSwitch, guard.all) == []


def test_always_is_fed_without_any_order() -> None:
    """Mode always: armed ever."""
    guard = Driven(Policy(switch=SwitchPolicy(mode=SwitchMode.ALWAYS))).up()
    assert guard.only(FeedSwitch, guard.all)


def test_an_orderly_stop_disarms_and_awaits_the_reply() -> None:
    """Auto: last feed awaited, disarm sent, its reply awaited, then Exit, and nothing after it."""
    guard = disarmed()
    feed = guard.only(FeedSwitch, guard.order(an_order()))
    assert guard.some(DisarmSwitch, guard.give(e.StopAsked(at_ns=guard.now))) == []
    disarm = guard.only(DisarmSwitch, answer(guard, feed))
    assert guard.some(Exit, guard.all) == []
    assert guard.only(Exit, answer(guard, disarm))
    assert guard.state.mode is Mode.STOPPED
    assert guard.position(a_position()) == ()


def test_an_orderly_stop_in_always_says_that_the_stops_go_too() -> None:
    """Always: left armed, and people hear what that means."""
    guard = Driven(Policy(switch=SwitchPolicy(mode=SwitchMode.ALWAYS))).up()
    answer(guard, guard.only(FeedSwitch, guard.all))
    assert guard.only(Exit, guard.give(e.StopAsked(at_ns=guard.now)))
    assert guard.alerts("left_armed")


def test_a_stop_with_a_request_in_flight_awaits_its_outcome() -> None:
    """The stop comes between PlaceStop and its answer: Exit only after the stop is confirmed."""
    guard = disarmed()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.now += MS
    disarm = guard.only(DisarmSwitch, guard.give(e.StopAsked(at_ns=guard.now)))
    assert guard.some(Exit, answer(guard, disarm)) == []
    guard.rest(place)
    assert guard.only(Exit, guard.all)


def test_a_stop_does_not_wait_for_ever() -> None:
    """Nothing answers: Exit after five seconds, and what is unconfirmed is said."""
    guard = disarmed()
    guard.position(a_position())
    guard.give(e.StopAsked(at_ns=guard.now))
    assert guard.some(Exit, guard.wait(4 * SECOND)) == []
    assert guard.only(Exit, guard.wait(1100 * MS))
    assert "unconfirmed" in guard.alerts("stopped")[0].text


def test_a_guard_whose_requests_are_refused_does_not_feed_and_says_so() -> None:
    """P6, P12: it sees, and cannot act (clock, key): not fed until a request succeeds again, and people hear of it."""
    guard = disarmed()
    answer(guard, guard.only(FeedSwitch, guard.order(an_order())))
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.give(e.RequestMisconfigured(at_ns=guard.now, command_id=place.command_id, reason="clock: expired"))
    feed = FeedSwitch(command_id=99, reason=Reason.SWITCH_FEED, timeout_ns=60 * SECOND)
    assert "refuses requests" in str(refusal(feed, guard.state))
    assert guard.alerts(Degraded.SWITCH_UNFED.value) == []
    guard.wait(10 * SECOND)
    reads = guard.some(ReadPicture, guard.all)
    guard.give(e.RequestMisconfigured(at_ns=guard.now, command_id=reads[-1].command_id, reason="clock: expired"))
    assert guard.some(FeedSwitch, guard.wait(6 * SECOND)) == []
    assert "refuses requests" in guard.alerts(Degraded.SWITCH_UNFED.value)[0].text
    guard.wait(5 * SECOND)
    assert guard.state.mode is Mode.GUARDING
    quote = guard.state.orders["XBTUSDT"]["o-1"].order
    assert guard.only(FeedSwitch, guard.picture([a_position()], [quote]))


def test_arming_and_disarming_are_facts_told_once_a_minute() -> None:
    """P10, P12: one note for a change that lasts; feeds in between, and a bot that requotes all day, are no flood."""
    guard = disarmed()
    quote = an_order()
    for _ in range(3):
        answer(guard, guard.only(FeedSwitch, guard.order(quote)))
        gone = replace(quote, status=OrderStatus.CANCELED, timestamp_ns=guard.now)
        answer(guard, guard.only(DisarmSwitch, guard.order(gone)))
        guard.wait(SECOND)
        quote = replace(quote, order_id=f"{quote.order_id}+", timestamp_ns=guard.now)
    assert switch_notes(guard) == ["disarmed"]
    answer(guard, guard.only(FeedSwitch, guard.order(quote)))
    for _ in range(5):
        answer(guard, guard.only(FeedSwitch, guard.wait(15 * SECOND)))
    assert switch_notes(guard) == ["disarmed", "armed"]


def switch_notes(guard: Driven) -> list[str]:
    """What people were told of the switch; all of it in a low voice."""
    told = [alert for alert in guard.alerts() if alert.topic == "switch"]
    assert {alert.severity for alert in told} == {Severity.NOTE}
    return [alert.state for alert in told]
