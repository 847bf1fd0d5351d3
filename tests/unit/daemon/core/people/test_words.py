"""What a message says beside what happened: nothing that is not true at that moment."""

from __future__ import annotations

from config.policy import Tier
from daemon.core.altered import altered
from daemon.core.memory.interventions import PauseKind
from daemon.core.state import Pause
from tests.builders import SECOND
from tests.unit.daemon.core.people.listener import Listener


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
    assert over.will == "It sends nothing of its own for 937.00 s more."


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
        told.will
        == "It watches the mark price, moves stops only nearer to it, and tells when a tier gets worse or is over."
    )
