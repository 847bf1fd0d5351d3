"""What a message says beside what happened: nothing that is not true at that moment."""

from __future__ import annotations

from decimal import Decimal

from config.policy import Tier
from daemon.core.altered import altered
from daemon.core.commands import RaiseAlert, Severity
from daemon.core.memory.interventions import PauseKind
from daemon.core.operator_requests import AcknowledgeAsked
from daemon.core.state import Liquidation, Pause
from tests.builders import SECOND
from tests.unit.daemon.core.people.listener import Listener, alert


def paused(listener: Listener, pause_for_s: int) -> None:
    """Somebody pauses the guard."""
    pause = Pause(
        kind=PauseKind.PAUSE,
        since_ns=listener.now,
        until_ns=listener.now + pause_for_s * SECOND,
        told_ns=listener.now,
        who="ann",
    )
    listener.state = altered(listener.state, pause=pause)


def test_the_end_of_a_trouble_does_not_say_that_a_paused_guard_guards() -> None:
    """P12: it is over, and all the same nothing is sent: both are said."""
    listener = Listener()
    listener.degrade("budget_empty")
    listener.wait(3)
    paused(listener, 1_000)
    listener.recover("budget_empty")
    (over,) = listener.wait(70)
    assert over.is_resolved
    assert over.did == "Nothing of its own is sent: paused; 0 of 0 position(s) have a resting stop."
    assert over.will == "It sends nothing of its own for 15 min more."


def test_a_guard_that_cannot_see_promises_no_stops_that_do_not_rest() -> None:
    """P12: none of one position has a stop, so no stop is said to protect it."""
    listener = Listener()
    listener.tier(Tier.CALM, "XBTUSD")
    (told,) = listener.degrade("blind_account") or listener.wait(3)
    assert "0 of 1 position(s) have a resting stop" in told.did
    assert "the resting stops protect" not in told.you_can
    assert "only stops that rest there protect" in told.you_can


def test_near_liquidation_says_which_way_stops_move() -> None:
    """P3 in a message: toward the mark only, in words that a reader at night understands."""
    listener = Listener()
    listener.tier(Tier.CRITICAL, "XBTUSD")
    (told,) = listener.wait(3)
    assert (
        told.will == "It watches the mark, moves stops only nearer to it, and tells when a tier gets worse or is over."
    )


def test_the_end_of_near_liquidation_by_a_liquidation_is_no_good_news() -> None:
    """P10: the position is gone because the venue took it; the end says so, names it, and asks to look."""
    listener = Listener()
    listener.tier(Tier.EMERGENCY, "XBTUSD", "ETHUSD")
    listener.wait(5)
    listener.state = altered(listener.state, positions={})
    listener.say(liquidated("XBTUSD"))
    over = next(told for told in listener.wait(80) if told.is_resolved)
    assert over.title == "OVER: near liquidation, XBTUSD and 1 more"
    assert over.text == (
        "Over after 6 s: near liquidation, 2 facts. XBTUSD was liquidated by the venue. ETHUSD is flat."
    )
    assert over.you_can.startswith("Check the account at the exchange")


def test_the_end_of_near_liquidation_says_how_far_it_is_now() -> None:
    """P10: a position that is still open is told with its room and whether stops cover it."""
    listener = Listener()
    listener.tier(Tier.CRITICAL, "XBTUSD")
    listener.wait(5)
    far = Liquidation(price=Decimal(900))
    calm = altered(listener.state.positions["XBTUSD"], tier=Tier.CALM, liquidation=far, covered_ns=listener.now)
    listener.state = altered(listener.state, positions={"XBTUSD": calm})
    (over,) = listener.wait(70)
    assert over.text == (
        "Over after 6 s: near liquidation, 1 fact. XBTUSD +100 is open, 10.00 % from its liquidation price; its whole"
        " quantity is covered by resting stops."
    )
    assert over.you_can == "Nothing needs to be done."


def test_the_end_of_anything_names_its_symbols() -> None:
    """P10: whoever reads only the end of it knows what it was about."""
    listener = Listener()
    listener.state = altered(listener.state, bots={})
    listener.say(alert("ladder", "refused", "XBTUSD", Severity.WARNING))
    listener.tier(Tier.WARN, "ETHUSD")
    listener.wait(10)
    listener.quietly("ETHUSD", Tier.CALM)
    assert [told.symbol for told in listener.wait(80) if told.is_resolved] == ["ETHUSD"]


def test_a_repeat_after_an_acknowledgement_says_who_took_it_on() -> None:
    """P10: an acknowledgement ends after its time; what stands is then said with the name of who acknowledged."""
    listener = Listener(acknowledged_for_s=Decimal(600))
    listener.tier(Tier.EMERGENCY, "XBTUSD")
    listener.wait(5)
    listener.ask(AcknowledgeAsked(key="distance", comment=""), who="bob")
    told = listener.wait(700)
    assert [each.cause for each in told] == ["repeat"]
    assert told[0].text.startswith("Still, 10 min after bob acknowledged it: XBTUSD")


def liquidated(symbol: str) -> RaiseAlert:
    """The venue takes a position."""
    return alert("position", "liquidated", symbol, Severity.CRITICAL)
