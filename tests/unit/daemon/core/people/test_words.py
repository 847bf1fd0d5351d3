"""What a message says beside what happened: nothing that is not true at that moment."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from config.policy import Tier
from daemon.core.altered import altered
from daemon.core.commands import RaiseAlert, Severity
from daemon.core.memory.interventions import Latch, LatchKind, Pause, PauseKind
from daemon.core.mode import Mode
from daemon.core.operator_requests import AcknowledgeAsked
from daemon.core.state import Liquidation, Switch, SwitchState
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
    assert over.did == "Nothing of its own is sent: paused; no position is open."
    assert over.will == "It sends nothing of its own for 15 min more."


def test_a_guard_that_cannot_see_promises_no_stops_that_do_not_rest() -> None:
    """P12: none of one position has a stop, so no stop is said to protect it."""
    listener = Listener()
    listener.tier(Tier.CALM, "XBTUSD")
    (told,) = listener.degrade("blind_account") or listener.wait(3)
    assert told.did == "The open position has no confirmed resting stop."
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


def test_what_is_over_before_it_is_told_does_not_read_as_if_it_stood() -> None:
    """P12: the title says so, nothing is asked of anybody, and the guard guards on."""
    listener = Listener()
    listener.state = altered(listener.state, mode=Mode.GUARDING)
    listener.degrade("blind_account")
    listener.recover("blind_account")
    (told,) = listener.wait(10)
    assert told.title == "WARN, over by now: the guard cannot see"
    assert (told.will, told.you_can) == ("It guards on.", "Nothing needs to be done.")


def test_the_end_of_one_trouble_while_another_blinds_the_guard() -> None:
    """P12: "it guards on" is said of a guard that guards."""
    listener = Listener()
    listener.degrade("budget_empty")
    listener.wait(3)
    listener.recover("budget_empty")
    listener.state = altered(listener.state, mode=Mode.BLIND)
    (over,) = listener.wait(70)
    assert over.will == "It is blind, and reconnects: `seawall alerts` names the cause."


def test_a_title_counts_symbols_and_not_facts() -> None:
    """P10: three positions in doubt for two reasons each are three positions."""
    listener = Listener()
    symbols = ("XBTUSD", "ETHUSD", "SOLUSD")
    listener.tier(Tier.CALM, *symbols)
    told = listener.say(*[alert("cover", state, each) for state in ("vanished", "refused") for each in symbols])
    told += listener.wait(6)
    assert [each.title for each in told if each.group == "cover"] == ["WARN: stops in doubt, ETHUSD and 2 more"]
    assert [each.count for each in told if each.group == "cover"] == [6]


def test_latches_are_named_with_what_they_do() -> None:
    """P12: a freeze cancels; a flatten closes as well; and both are lifted by the name that is told."""
    listener = Listener()
    held = {
        "operator": Latch(name="operator", kind=LatchKind.FREEZE, text="ada asked", since_ns=listener.now, cancelled=1),
        "daily_loss": Latch(name="daily_loss", kind=LatchKind.FLATTEN, text="1 % lost", since_ns=listener.now),
    }
    listener.state = altered(listener.state, latches=held)
    told = listener.say(alert("latch", "freeze", severity=Severity.CRITICAL, latch="operator")) + listener.wait(3)
    assert told[0].did == "Latched: operator, daily_loss; 1 order of others cancelled for it."
    assert told[0].will.endswith("closed at the market, and kept closed.")
    rule = listener.say(alert("rule", "daily_loss", severity=Severity.CRITICAL)) + listener.wait(6)
    assert rule[0].did == "Latched: daily_loss; 0 orders of others cancelled for it."


def test_a_disarmed_switch_is_not_said_to_count_down() -> None:
    """P6, P12: only an armed switch cancels what rests, and how soon is said."""
    listener = Listener()
    listener.state = altered(listener.state, switch=Switch(state=SwitchState.DISARMED))
    (told,) = listener.degrade("switch_unfed") + listener.wait(3)
    assert told.will.startswith("The switch is disarmed, so stops stay")
    armed = Switch(state=SwitchState.ARMED, expires_ns=listener.now + 31 * SECOND)
    listener = Listener()
    listener.state = altered(listener.state, switch=armed)
    (told,) = listener.degrade("switch_unfed") + listener.wait(1)
    assert told.will.endswith("cancels every order in 33 s, stops too.")


def test_a_command_in_a_message_can_be_copied() -> None:
    """P10: the symbol stands in it; nobody has to know what SYMBOL means."""
    listener = Listener()
    listener.tier(Tier.CRITICAL, "XBTUSD")
    (told,) = listener.wait(3)
    assert "`seawall flatten XBTUSD`" in told.you_can


def test_a_long_sentence_is_cut_between_words() -> None:
    """A command that is cut in two is worse than none."""
    listener = Listener()
    long = alert("ladder", "refused", "XBTUSD", Severity.WARNING)
    (told,) = listener.say(replace(long, text="word " * 200)) + listener.wait(5)
    assert told.text.endswith("word ...")
    assert len(told.text) <= 400


def test_a_latch_that_was_lifted_does_not_read_as_if_it_held() -> None:
    """P12: the lift and the freeze it ended come in one message: over by now, and nothing is asked of anybody."""
    listener = Listener()
    held = Latch(name="operator", kind=LatchKind.FREEZE, text="ada asked", since_ns=listener.now)
    listener.state = altered(listener.state, mode=Mode.GUARDING, latches={"operator": held})
    told = listener.say(alert("latch", "freeze", severity=Severity.WARNING, latch="operator"))
    listener.state = altered(listener.state, latches={})
    told += listener.say(alert("latch", "lifted", severity=Severity.WARNING, latch="operator"))
    told += listener.wait(6)
    assert [each.title for each in told] == ["WARN, over by now: frozen or being closed, 2 facts"]
    assert (told[0].did, told[0].will) == ("No latch holds any more.", "It guards on.")
    assert told[0].you_can == "Nothing needs to be done."


def test_the_end_of_a_pause_does_not_tell_how_to_end_it() -> None:
    """P12: while it lasts it is said how to end it; afterwards the guard guards on."""
    listener = Listener()
    listener.state = altered(listener.state, mode=Mode.GUARDING)
    paused(listener, 600)
    (told,) = listener.say(alert("pause", "pause", severity=Severity.WARNING)) + listener.wait(5)
    assert told.you_can.startswith("`seawall resume` ends it now.")
    listener.state = altered(listener.state, pause=None)
    (ended,) = listener.say(alert("pause", "ended", severity=Severity.WARNING)) + listener.wait(70)
    assert (ended.will, ended.you_can) == ("It guards on.", "Nothing needs to be done.")
