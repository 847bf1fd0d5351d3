"""Give up a position that has not gained enough after a while.

The time counts from when the guard first knew the position: the venue's rows do not say when a position was opened
(BitMEX's opening fields are of the trading session). It survives a restart, with the journal; without one it begins
anew, and so it does for a position that was there before the guard.

CLOSE asks for the position to be closed at the market, which `reduce.py` does only with a second witness. BREAK_EVEN
moves the stop to entry and fees, or closes where the mark is beyond that already. A stale mark decides nothing.

Units: prices in quote currency; times in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from config.policy import StopPolicy
from config.stop_rules import TimeStopAction
from connectors.vocabulary import Side
from daemon.core.stop_rules.break_even import even_price
from daemon.core.stop_rules.proposal import HOUR_NS, Proposal, Rule, RuleInput, Silence, Word, shown

NAME: Final = "time_stop"


def due_ns(policy: StopPolicy, known_ns: int) -> int:
    """When the time of a position that is known since `known_ns` is over."""
    return known_ns + int(policy.time_stop.after_hours * HOUR_NS)


def propose(given: RuleInput) -> Word:
    """Nothing until the time is over, or while the position has gained enough."""
    policy = given.policy.time_stop
    if not given.known_ns or given.now_ns < due_ns(given.policy, given.known_ns) or given.mark is None:
        return None
    gain = given.gain_percent(given.mark)
    if gain is None:
        return Silence(rule=NAME, why="the entry price is unknown")
    if gain >= policy.unless_gain_percent:
        return None
    why = f"open for {shown(policy.after_hours)} h without a gain of {shown(policy.unless_gain_percent)} %"
    if policy.action is TimeStopAction.CLOSE:
        return Proposal(rule=NAME, price=None, why=why)
    even = even_price(given)
    if even is None or _is_through(given.side, even, given.mark):
        return Proposal(rule=NAME, price=None, why=why)
    return Proposal(rule=NAME, price=even, why=why)


def _is_through(side: Side, price: Decimal, mark: Decimal) -> bool:
    return mark <= price if side is Side.LONG else mark >= price


def marks(given: RuleInput) -> Iterator[Decimal]:
    """The mark that parts enough gain from too little, once the time is over."""
    if given.known_ns and given.now_ns >= due_ns(given.policy, given.known_ns):
        price = given.at_gain(given.policy.time_stop.unless_gain_percent)
        if price is not None:
            yield price


RULE: Final = Rule(name=NAME, mode=lambda policy: policy.time_stop.mode, propose=propose, marks=marks)
