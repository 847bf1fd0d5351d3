"""Being stopped out costs at most a share of equity.

The classic two to three percent a trade. What is counted, so that the loss never exceeds the share: the way from entry
to the trigger, the expected slippage beyond it, the fee to close at the taker's rate, and, with
`counts_costs_so_far`, what the trade has cost already: the fee to open (at the taker's rate, for the most contracts it
had), and what funding and closed parts have lost since the position became known. Profits already taken give no more
room. Equity is that of the settlement currency when the position opened, or when it was added to if that was less.

A position that grows brings its stop nearer; one that is cut back, or gains, does not move it away (P3).
Cross or isolated makes no difference: the loss is the account's in both.

Units: prices in quote currency on the tick grid; money in minor units of the settlement currency.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Final

from connectors.vocabulary import Instrument
from daemon.core.stop_rules.outcome import Trade, first_trigger
from daemon.core.stop_rules.proposal import PERCENT, Proposal, Rule, RuleInput, Silence, Word, shown

NAME: Final = "max_loss"
_MINOR_DIGITS: Final = {"XBT": 8, "USDT": 6}


def budget_sat(given: RuleInput) -> int | None:
    """What the trade may still lose; below 0 when more is gone already; None while equity is unknown."""
    if given.equity_sat is None or given.equity_sat <= 0:
        return None
    policy = given.policy.max_loss
    share = int((given.equity_sat * policy.equity_percent / PERCENT).to_integral_value(rounding=ROUND_FLOOR))
    return share + min(0, given.booked_sat) if policy.counts_costs_so_far else share


def propose(given: RuleInput) -> Word:
    """The trigger at which exactly the share is lost."""
    budget = budget_sat(given)
    if budget is None:
        return Silence(rule=NAME, why="the equity is unknown")
    if given.instrument is None or given.entry_price is None or given.quantity == 0:
        return Silence(rule=NAME, why="the entry price is unknown")
    policy = given.policy.max_loss
    why = _why(given, given.instrument)
    if budget < 0:
        return Proposal(rule=NAME, price=None, why=f"{why} is used up by what the trade has cost already")
    opened = max(given.largest, abs(given.quantity)) if policy.counts_costs_so_far else 0
    trade = Trade(
        instrument=given.instrument,
        quantity=given.quantity,
        entry_price=given.entry_price,
        cost_sat=given.cost_sat,
        slippage_percent=policy.slippage_percent,
    )
    price = _trigger(trade, budget, opened)
    if price is None:
        return Silence(rule=NAME, why="no price of this contract keeps the loss within the share")
    if not given.instrument.tick_size < price < given.instrument.max_price - given.instrument.tick_size:
        return None  # Too small to lose that much at any price.
    return Proposal(rule=NAME, price=price, why=why)


@lru_cache(maxsize=4096)
def _trigger(trade: Trade, budget: int, opened: int) -> Decimal | None:
    """Worked out once for the same figures: marks come often, and change none of them."""
    return first_trigger(trade, budget_sat=budget, opened_contracts=opened)


def _why(given: RuleInput, instrument: Instrument) -> str:
    return f"{shown(given.policy.max_loss.equity_percent)} % of {_money(given.equity_sat or 0, instrument)} equity"


def _money(amount_sat: int, instrument: Instrument) -> str:
    """Minor units as people write them: "0.25 XBT"."""
    currency = instrument.settlement_currency.upper()
    digits = _MINOR_DIGITS.get(currency)
    if digits is None:
        return f"{amount_sat} {instrument.settlement_currency}"
    return f"{shown(Decimal(amount_sat).scaleb(-digits))} {currency}"


RULE: Final = Rule(name=NAME, mode=lambda policy: policy.max_loss.mode, propose=propose)
