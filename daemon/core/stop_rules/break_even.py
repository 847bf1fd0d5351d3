"""After a gain, move the stop to where closing costs nothing: entry and both fees, and a little more.

Why exact: on an inverse contract the fee is a share of a worth that changes with one over the price, so entry plus two
fee rates is not the price at which the trade comes out even. What closing brings is worked out in minor units, with
the rounding of the venue and against the holder, and the first tick that does not lose is taken. `lock_percent` of the
entry price comes on top. Funding and slippage are not counted: `lock_percent` is there for them.

Units: prices in quote currency on the tick grid; money in minor units of the settlement currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Final

from daemon.core.stop_rules.outcome import Trade, first_trigger
from daemon.core.stop_rules.proposal import PERCENT, Proposal, Rule, RuleInput, Silence, Word, shown

NAME: Final = "break_even"


def even_price(given: RuleInput) -> Decimal | None:
    """The trigger at which the trade comes out even, both fees at the taker's rate and the lock included.

    Returns:
        On the tick grid; None where figures are missing or the contract has no such price.
    """
    if given.entry_price is None or given.instrument is None or given.quantity == 0:
        return None
    trade = Trade(
        instrument=given.instrument, quantity=given.quantity, entry_price=given.entry_price, cost_sat=given.cost_sat
    )
    even = _even(trade)
    if even is None:
        return None
    return even + given.side.sign * given.entry_price * given.policy.break_even.lock_percent / PERCENT


@lru_cache(maxsize=4096)
def _even(trade: Trade) -> Decimal | None:
    """Worked out once for the same figures: marks come often, and change none of them."""
    return first_trigger(trade, budget_sat=0, opened_contracts=abs(trade.quantity))


def propose(given: RuleInput) -> Word:
    """The price of no loss, once the best mark was good enough."""
    gain = given.gain_percent(given.best)
    if gain is None:
        return Silence(rule=NAME, why="the entry price is unknown")
    if gain < given.policy.break_even.after_percent:
        return None
    price = even_price(given)
    if price is None:
        return Silence(rule=NAME, why="no price of this contract comes out even")
    if not _is_beyond(given, gain, price):
        # Gained, but not yet beyond the fees: a stop there would fire at once.
        return None
    after = shown(given.policy.break_even.after_percent)
    entry = shown(given.entry_price or price)
    return Proposal(rule=NAME, price=price, why=f"entry at {entry} and fees, after a gain of {after} %")


def marks(given: RuleInput) -> Iterator[Decimal]:
    """The marks at which the gain is enough, and beyond the fees."""
    gain = given.gain_percent(given.best)
    for price in (given.at_gain(given.policy.break_even.after_percent), even_price(given)):
        if gain is not None and price is not None and not _is_beyond(given, gain, price):
            yield price


def _is_beyond(given: RuleInput, gain: Decimal, price: Decimal) -> bool:
    """Whether a gain is more than that of a price."""
    other = given.gain_percent(price)
    return other is not None and gain > other


RULE: Final = Rule(name=NAME, mode=lambda policy: policy.break_even.mode, propose=propose, marks=marks)
