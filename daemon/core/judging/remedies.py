"""Correct a breach: turn a rule's remedy into corrections of positions.

The corrections themselves refuse what would bring any liquidation nearer (P1); here is only chosen what to ask for.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from daemon.core.account_rules.verdict import Held, account_view
from daemon.core.draft import Draft
from daemon.core.emergency import corrections
from daemon.core.margin.contribution import best_trim
from daemon.core.market.room import account_rows
from daemon.core.memory.rule_facts import Remedy, RemedyKind
from daemon.core.restraint import quiet

NO_REMEDY = "there is no correction for this: reduce or close by hand"


def chosen(draft: Draft, remedy: Remedy | None) -> Remedy | None:
    """Decide which position a trim is about: the one that brings the most room, or else the largest.

    Args:
        draft: The step at work.
        remedy: What the rule asks for; None: it knows of none.
    """
    if remedy is None or remedy.kind is not RemedyKind.TRIM:
        return remedy
    held = [each for each in account_view(draft).held if each.currency == remedy.currency and each.worth_sat]
    if not held:
        return None
    worth = sum(each.worth_sat or 0 for each in held)
    share = min(Decimal(1), Decimal(remedy.excess_sat) / max(1, worth))
    relief = best_trim(account_rows(draft), remedy.currency, share)
    named = [each for each in held if relief is not None and each.symbol == relief.symbol]
    largest = max(held, key=lambda each: (each.worth_sat or 0, each.symbol))
    return _reduced(named[0] if named else largest, remedy)


def _reduced(held: Held, remedy: Remedy) -> Remedy:
    """Take the excess off one position, in whole lots upward; a position smaller than it is closed."""
    worth = max(1, held.worth_sat or 0)
    lot = 1 if held.instrument is None else held.instrument.lot_size
    amount = abs(held.quantity)
    surplus = -(-amount * remedy.excess_sat // worth)
    surplus = min(amount, -(-surplus // lot) * lot)
    return replace(remedy, kind=RemedyKind.REDUCE, symbol=held.symbol, contracts=amount - surplus)


def apply(draft: Draft, remedy: Remedy | None, why: str) -> str:
    """Ask for a correction; asking again while it is under way changes nothing.

    Returns:
        Empty if it is asked for or under way, else why not.
    """
    if remedy is None:
        return NO_REMEDY
    if quiet.is_quiet(draft):
        return quiet.words(draft)
    match remedy.kind:
        case RemedyKind.LOWER_LEVERAGE:
            return corrections.lower_leverage(draft, remedy.symbol, remedy.leverage, why)
        case RemedyKind.ISOLATE:
            return corrections.isolate(draft, remedy.symbol, why)
        case RemedyKind.REDUCE:
            return corrections.reduce_to(draft, remedy.symbol, remedy.contracts, why)
        case RemedyKind.TRIM:
            return NO_REMEDY
        case _:
            assert_never(remedy.kind)
