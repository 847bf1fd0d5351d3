"""A trigger price that somebody gave: the settings by symbol and side, an operator, a bot, or the ladder's step.

An operator's price belongs to the open position and replaces the one of the settings while that position lives. The
ladder's (`tighten`) stands beside both. As with all rules the price nearest the mark wins.

Units: prices in quote currency.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from connectors.vocabulary import Side
from daemon.core.stop_rules.proposal import Proposal, Rule, RuleInput, Word, shown

NAME: Final = "fixed"


def settings_price(given: RuleInput) -> Decimal | None:
    """The price that the settings give for this symbol and side."""
    prices = given.policy.fixed.long if given.side is Side.LONG else given.policy.fixed.short
    return (prices or {}).get(given.symbol)


def propose(given: RuleInput) -> Word:
    """The price given, or nothing."""
    if given.given_price is not None:
        return Proposal(rule=NAME, price=given.given_price, why=f"{shown(given.given_price)} given by {given.given_by}")
    price = settings_price(given)
    if price is None:
        return None
    return Proposal(rule=NAME, price=price, why=f"{shown(price)} in the settings for {given.symbol}")


RULE: Final = Rule(name=NAME, mode=lambda policy: policy.fixed.mode, propose=propose)
