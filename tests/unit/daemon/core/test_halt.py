"""The halt flag: whatever keeps the guard from seeing, acting or remembering halts, and says why in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.core import events as e
from daemon.core.degraded import Degraded
from daemon.core.halt import STALE_AFTER_NS, Halt, HaltKind, age_ns, halts
from daemon.core.operator_requests import FlattenAsked, FreezeAsked
from tests.builders import SECOND, a_position
from tests.driven import Driven
from tests.unit.daemon.core.restraint.test_latches import ask
from tests.unit.daemon.core.test_bots import alive, seconds_pass


def reasons(guard: Driven, *, symbol: str | None = None, bot: str | None = None) -> list[Halt]:
    """Why to halt, now."""
    return list(halts(guard.state, now_ns=guard.now, symbol=symbol, bot=bot))


def kinds(guard: Driven, **asked: str) -> list[tuple[HaltKind, str]]:
    """The same, without the words."""
    return [(each.kind, each.name) for each in reasons(guard, **asked)]


def test_a_guard_that_guards_halts_nobody() -> None:
    """All well."""
    guard = Driven().up([a_position()])
    guard.rest()
    guard.wait(SECOND)
    assert reasons(guard) == []


def test_before_it_guards_it_halts() -> None:
    """Started, not yet seeing."""
    guard = Driven()
    guard.start()
    assert kinds(guard) == [(HaltKind.NOT_GUARDING, "starting")]


def test_blind_it_halts_and_says_of_what_it_is_blind() -> None:
    """A lost account stream."""
    guard = Driven().up()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="reset"))
    (halt,) = reasons(guard)
    assert (halt.kind, halt.name) == (HaltKind.NOT_GUARDING, "blind")
    assert "blind_account" in halt.text
    assert halt.since_ns == guard.now


def test_a_latch_about_the_account_and_one_about_a_symbol() -> None:
    """Who asks about another symbol is not halted by the second."""
    guard = Driven().up([a_position()])
    guard.rest()
    ask(guard, FlattenAsked(symbols=("XBTUSDT",)))
    (halt,) = reasons(guard, symbol="XBTUSDT")
    assert (halt.kind, halt.symbols) == (HaltKind.LATCH, ("XBTUSDT",))
    assert "seawall lift operator-flatten" in halt.text
    assert reasons(guard, symbol="ETHUSD") == []
    assert kinds(guard) == [(HaltKind.LATCH, "operator-flatten")], "who names no symbol hears of every one"
    ask(guard, FreezeAsked(), "r-2")
    assert kinds(guard, symbol="ETHUSD") == [(HaltKind.LATCH, "operator")]


def test_a_position_that_is_not_in_hand_halts_its_symbol() -> None:
    """Nothing is to be added to what has no stop."""
    guard = Driven().up([a_position()])
    guard.wait(5 * SECOND)
    assert (HaltKind.DEGRADED, Degraded.UNCOVERED.value) in kinds(guard, symbol="XBTUSDT")
    assert kinds(guard, symbol="ETHUSD") == []


@pytest.mark.parametrize(
    ("state", "halting"),
    [
        (Degraded.BUDGET_EMPTY, True),
        (Degraded.VENUE_UNREACHABLE, True),
        (Degraded.JOURNAL_FAILED, True),
        (Degraded.MISCONFIGURED, True),
        (Degraded.CLOCK_SKEW, True),
        (Degraded.SWITCH_UNFED, True),
        (Degraded.HEDGE_MODE, True),
        (Degraded.FLATTEN_STUCK, True),
        (Degraded.RULE_UNJUDGED, False),
        (Degraded.RULE_SILENT, False),
        (Degraded.STOPS_CROWDED, False),
    ],
)
def test_which_degraded_states_halt(state: Degraded, halting: bool) -> None:
    """Each is told with its words and since when."""
    guard = Driven().up()
    guard.state = replace(guard.state, degraded={state.value: guard.now})
    found = reasons(guard)
    assert bool(found) is halting
    assert all(each.since_ns == guard.now and each.text for each in found)


def test_a_degraded_state_of_a_later_build_halts() -> None:
    """Careful by design: what nobody called harmless is not."""
    guard = Driven().up()
    guard.state = replace(guard.state, degraded={"the_sky_fell": guard.now})
    assert kinds(guard) == [(HaltKind.DEGRADED, "the_sky_fell")]


def test_a_lost_budget_says_why() -> None:
    """The venue's words, for the bot that used it up."""
    guard = Driven().up()
    health = replace(guard.state.health, unsent_text="banned until 12:00")
    guard.state = replace(guard.state, health=health, degraded={Degraded.BUDGET_EMPTY.value: guard.now})
    assert "banned until 12:00" in reasons(guard)[0].text


def test_an_old_answer_is_no_answer() -> None:
    """A guard that has not looked at itself for long halts, however well it was."""
    guard = Driven().up()
    guard.now += STALE_AFTER_NS + SECOND
    assert (HaltKind.STALE, "stale") in kinds(guard)
    assert age_ns(guard.state, guard.now) > STALE_AFTER_NS


def test_a_bots_silence_halts_itself_and_one_that_must_be_alive_halts_all() -> None:
    """Another bot goes on, unless the silent one must be alive."""
    guard = alive()
    seconds_pass(guard, 31)
    assert kinds(guard) == []
    assert kinds(guard, bot="maker") == [(HaltKind.BOT_SILENT, "maker")]
    guard = alive(must_be_alive=True)
    seconds_pass(guard, 31)
    assert kinds(guard) == [(HaltKind.BOT_MISSING, "maker")]
