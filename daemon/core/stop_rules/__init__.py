"""The stop rules: each proposes a trigger price or none, and the one nearest the mark wins.

A new rule is a file here that ends in a `Rule`, a settings table (`config/stop_rules.py`), a line in `RULES`, a heading
in the runbook. A rule in shadow is asked as well, and moves nothing (`shadows.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.modes import RuleMode
from config.policy import StopPolicy
from connectors.vocabulary import Side
from daemon.core.stop_rules import break_even, fixed, liquidation_buffer, max_loss, tightened, time_stop, trailing
from daemon.core.stop_rules.proposal import Proposal, Rule, RuleInput, Silence, no_marks

__all__ = [
    "RULES",
    "Proposal",
    "Rule",
    "RuleInput",
    "Said",
    "Silence",
    "ask",
    "decision_marks",
    "has_decision_marks",
    "nearest",
]

RULES: Final[tuple[Rule, ...]] = (
    liquidation_buffer.RULE,
    max_loss.RULE,
    trailing.RULE,
    fixed.RULE,
    tightened.RULE,
    break_even.RULE,
    time_stop.RULE,
)


WATCHFUL: Final = tuple(rule for rule in RULES if rule.marks is not no_marks)
"""Those that wait for marks other than their own trigger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What all the rules said."""

    proposals: tuple[Proposal, ...] = ()
    """Of the rules that are on."""
    shadows: tuple[Proposal, ...] = ()
    """Of those in shadow."""
    silences: tuple[Silence, ...] = ()
    """Rules that are on and lack a figure."""


def ask(given: RuleInput) -> Said:
    """Ask every rule that is not off."""
    proposals: list[Proposal] = []
    shadows: list[Proposal] = []
    silences: list[Silence] = []
    for rule in RULES:
        mode = rule.mode(given.policy)
        word = None if mode is RuleMode.OFF else rule.propose(given)
        if isinstance(word, Proposal):
            (proposals if mode is RuleMode.ON else shadows).append(word)
        elif isinstance(word, Silence) and mode is RuleMode.ON:
            silences.append(word)
    return Said(proposals=tuple(proposals), shadows=tuple(shadows), silences=tuple(silences))


def nearest(side: Side, proposals: tuple[Proposal, ...]) -> tuple[Proposal, Decimal] | None:
    """The proposal with the price nearest the mark, and that price; None where no rule has a price.

    Of two with the same price the rule that stands first in `RULES` wins.
    """
    priced = [(each, each.price) for each in proposals if each.price is not None]
    if not priced:
        return None
    return max(priced, key=lambda each: side.sign * each[1])


def has_decision_marks(policy: StopPolicy) -> bool:
    """Whether any rule that is not off may want to hear of more marks than its own trigger."""
    return any(rule.mode(policy) is not RuleMode.OFF for rule in WATCHFUL)


def decision_marks(given: RuleInput) -> Iterator[Decimal]:
    """The marks at which some rule that is not off would say something else, other than its own trigger."""
    for rule in WATCHFUL:
        if rule.mode(given.policy) is not RuleMode.OFF:
            yield from rule.marks(given)
