"""Stops given by people and by the ladder: taken, refused, loosened, forgotten."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import FixedPolicy, MaxLossPolicy, Policy, StopPolicy
from connectors.vocabulary import Side
from daemon.core import stops
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import AmendStop, Command, PlaceStop
from daemon.core.draft import Draft
from daemon.core.protecting import given_stop
from daemon.core.reasons import Reason
from tests.builders import SECOND, a_position
from tests.driven import Driven
from tests.unit.daemon.core.test_stop_stories import confirm, opened

D = Decimal
LONG = Side.LONG


def give(guard: Driven, price: str, *, may_loosen: bool = False, side: Side = LONG) -> tuple[str, list[Command]]:
    """Give a price as the operator's request does; the refusal, and what the core asked for."""
    draft = Draft(guard.state, guard.now)
    words = given_stop.set_given_stop(draft, "XBTUSDT", side, D(price), may_loosen=may_loosen, who="operator anna")
    return words, settle(guard, draft)


def settle(guard: Driven, draft: Draft) -> list[Command]:
    """Reconcile the touched position and take the state over."""
    if "XBTUSDT" in draft.touched:
        stops.reconcile(draft, "XBTUSDT")
    guard.state = draft.finish()
    guard.all += draft.commands
    guard.last = tuple(draft.commands)
    return draft.commands


def test_a_nearer_price_is_taken_at_once() -> None:
    """The stop moves there, and status and alerts say who gave it."""
    guard = opened()
    words, commands = give(guard, "950")
    assert words == ""
    assert guard.only(AmendStop, commands).stop_price == D(950)
    confirm(guard)
    assert guard.guarded().ratchet == D(950)
    assert (guard.guarded().ruled_by, guard.guarded().ruled_why) == ("fixed", "950 given by operator anna")
    assert guard.alerts("given")[0].reason is Reason.OPERATOR


@pytest.mark.parametrize(
    ("price", "side", "words"),
    [
        ("950", Side.SHORT, "no open short"),
        ("1000", LONG, "the mark 1000 is already beyond"),
        ("1200", LONG, "already beyond"),
        ("0", LONG, "no price"),
        ("NaN", LONG, "no price"),
        ("1000000", LONG, "no price"),
        ("901", LONG, "worthless: liquidation at 900 may remove the stop"),
        ("910", LONG, "looser than the 918.0 that rests"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(price: str, side: Side, words: str) -> None:
    """P3, P12: and nothing is sent or remembered."""
    guard = opened()
    before = guard.guarded()
    refused, commands = give(guard, price, side=side)
    assert words in refused
    assert commands == []
    assert guard.guarded() == before


@pytest.mark.parametrize("mode", [RuleMode.OFF, RuleMode.SHADOW])
def test_a_rule_that_moves_nothing_takes_no_price(mode: RuleMode) -> None:
    """The rule that would carry the price is off, or in shadow: said, not swallowed."""
    guard = opened(fixed=FixedPolicy(mode=mode))
    assert give(guard, "950")[0].startswith(f"stop.fixed is {mode.value} in the settings")


def test_loosening_takes_an_express_word_and_is_named() -> None:
    """P3: tightened to 950, then loosened to 930: the amend carries the reason, and the ratchet holds again after."""
    guard = opened()
    give(guard, "950")
    confirm(guard)
    words, commands = give(guard, "930", may_loosen=True)
    assert words == ""
    amend = guard.only(AmendStop, commands)
    assert (amend.stop_price, amend.reason) == (D(930), Reason.STOP_LOOSENED)
    assert refusal(amend, guard.state) is None
    told = guard.alerts("loosened")[0]
    assert told.reason is Reason.STOP_LOOSENED
    assert "operator anna" in told.text
    assert "950" in told.text
    guard.now += SECOND
    confirm(guard)
    assert guard.guarded().ratchet == D(930)
    assert guard.guarded().episode.released is None
    guard.now += SECOND
    guard.position(a_position(liquidation_price=D(890)))
    assert guard.guarded().ratchet == D(930)


def test_no_rule_is_loosened_away() -> None:
    """The operator asks for 930, the loss rule keeps its own place, and the answer says so."""
    guard = opened(max_loss=MaxLossPolicy(mode=RuleMode.ON, equity_percent=D("0.5")))
    at = guard.guarded().ratchet
    assert at is not None
    give(guard, "980")
    confirm(guard)
    amend = guard.only(AmendStop, give(guard, "930", may_loosen=True)[1])
    assert amend.stop_price == at
    assert f"max_loss keeps it at {at}" in guard.alerts("loosened")[0].text


def test_the_choke_point_holds_a_looser_amend_back_without_the_release() -> None:
    """P1, P3: the reason alone opens nothing, nor does a release for a price that is nearer than asked."""
    guard = opened()
    give(guard, "950")
    confirm(guard)
    amend = guard.only(AmendStop, give(guard, "930", may_loosen=True)[1])
    released = guard.state
    forged = AmendStop(**{name: getattr(amend, name) for name in amend.__slots__} | {"stop_price": D(925)})
    assert refusal(forged, released) == "925 is looser than the 950.0 that rests"
    confirm(guard)
    assert "looser" in (refusal(forged, guard.state) or "")
    plain = AmendStop(**{name: getattr(amend, name) for name in amend.__slots__} | {"reason": Reason.COVER_TOO_FAR})
    assert refusal(plain, released) == "930.0 is looser than the 950.0 that rests"


def test_a_loosening_that_the_venue_refuses_stays_asked_for() -> None:
    """Level-triggered: the release holds until a stop rests as loosely as was allowed."""
    guard = opened()
    give(guard, "950")
    confirm(guard)
    give(guard, "930", may_loosen=True)
    assert guard.guarded().episode.released is not None
    assert guard.guarded().ratchet is None
    assert guard.guarded().covered_ns


def test_clearing_loosens_nothing() -> None:
    """The price is forgotten, the stop stays where it rests."""
    guard = opened()
    give(guard, "950")
    confirm(guard)
    draft = Draft(guard.state, guard.now)
    assert given_stop.clear_given_stop(draft, "XBTUSDT", "operator anna") == ""
    assert guard.some(AmendStop, settle(guard, draft)) == []
    assert guard.guarded().ratchet == D(950)
    assert (
        given_stop.clear_given_stop(Draft(guard.state, guard.now), "XBTUSDT", "x") == "no price was given for XBTUSDT"
    )


def test_a_given_price_goes_with_its_position() -> None:
    """The next long has its own stop; the price of an old trade would close it at once."""
    guard = opened()
    give(guard, "950")
    confirm(guard)
    guard.position(a_position(-100))
    guard.position(a_position(100))
    assert guard.guarded().episode.given is None


def test_the_ladder_tightens_and_never_loosens() -> None:
    """Nearer than where the stop belongs, and not beyond the mark; kept for the episode."""
    guard = opened()
    draft = Draft(guard.state, guard.now)
    assert given_stop.tighten(draft, "XBTUSDT", D(959))
    assert guard.only(AmendStop, settle(guard, draft)).stop_price == D(959)
    confirm(guard)
    for price in (D(940), D(959), D(1000), D(1001)):
        assert not given_stop.tighten(Draft(guard.state, guard.now), "XBTUSDT", price)
    assert guard.guarded().ruled_by == "tightened"
    assert not given_stop.tighten(Draft(guard.state, guard.now), "ELSE", D(950))


def test_a_price_may_come_before_the_first_stop_rests() -> None:
    """Given while the placement is under way: the stop is moved once it is confirmed."""
    guard = Driven(Policy(stop=StopPolicy())).up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    assert give(guard, "950") == ("", guard.last and list(guard.last))
    guard.rest(place)
    assert guard.only(AmendStop, guard.all).stop_price == D(950)
