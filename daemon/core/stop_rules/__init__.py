"""The stop rules: each proposes a trigger price or none, and the one nearest the mark wins.

A new rule is a file here, a function that takes `RuleInput`, and a line in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.policy import StopPolicy
from connectors.vocabulary import Side
from daemon.core.stop_rules import liquidation_buffer


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleInput:
    """What a rule may look at."""

    side: Side
    liquidation_price: Decimal
    entry_price: Decimal | None
    policy: StopPolicy


def _liquidation_buffer(given: RuleInput) -> Decimal | None:
    return liquidation_buffer.trigger(given.side, given.liquidation_price, given.entry_price, given.policy)


RULES: Final[tuple[Callable[[RuleInput], Decimal | None], ...]] = (_liquidation_buffer,)


def ruled_trigger(given: RuleInput) -> Decimal | None:
    """The proposal nearest the mark, not yet on the tick grid; None if no rule has one."""
    proposals = [price for rule in RULES if (price := rule(given)) is not None]
    if not proposals:
        return None
    return max(proposals) if given.side is Side.LONG else min(proposals)
