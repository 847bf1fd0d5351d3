"""Risk per trade: what one position loses from the present mark to its stop, fees and slippage included.

The stop is the tightest of ours that was confirmed in this position, or else the one that the stop rules want. A stop
that has been passed already counts with the mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from config.account_rules import RiskPerTradePolicy
from connectors.vocabulary import ZERO, Instrument, Side
from daemon.core.account_rules.verdict import (
    CLEAR_AT,
    AccountView,
    Held,
    Level,
    Rule,
    Verdict,
    lacks,
    money,
    plain,
    share,
    standing,
    unknown,
)
from daemon.core.margin.costs import closing_cost_sat, pnl_sat
from daemon.core.memory.rule_facts import Remedy, RemedyKind

_FAR: Final = Decimal(2)
_FINE: Final = 100
"""Beyond a stop so far away, or a worth of so few minor units a lot, the bound is not to be relied on."""
_MORE: Final = Decimal("1.2")


def judge(view: AccountView, policy: RiskPerTradePolicy) -> tuple[Verdict, ...]:
    """Name the positions that risk more than their share of equity."""
    allowed = {name: _allowed_sat(equity, policy) for name, equity in view.equities.items()}
    found = (_judge(view, held, allowed, policy) for held in view.held)
    return tuple(each for each in found if each is not None)


RULE: Final = Rule(name="risk_per_trade", judge=judge)


def _allowed_sat(equity: int, policy: RiskPerTradePolicy) -> int:
    """What may be lost while a breach is over."""
    return int(equity * policy.equity_percent * CLEAR_AT / 100)


def _judge(view: AccountView, held: Held, allowed: Mapping[str, int], policy: RiskPerTradePolicy) -> Verdict | None:
    missing = lacks(view, held, equity=True)
    if missing or held.instrument is None or held.mark is None:
        return unknown(missing, held.symbol)
    stop = held.guarded.ratchet or held.guarded.ruled
    if stop is None:
        return unknown("no stop rests or is wanted", held.symbol)
    stop = min(stop, held.mark) if held.side is Side.LONG else max(stop, held.mark)
    if surely_fits(held, stop, allowed[held.currency], policy.slippage_percent):
        return None
    equity = view.equities[held.currency]
    loss = loss_sat(held.instrument, held.quantity, held.mark, stop, policy.slippage_percent)
    level = standing(share(loss, equity), policy.equity_percent, at_limit=False)
    return None if level is None else _verdict(held, level, stop, (loss, equity), policy)


def loss_sat(instrument: Instrument, quantity: int, mark: Decimal, stop: Decimal, slippage_percent: Decimal) -> int:
    """What is lost from the mark until the stop has closed the position; 0 or above."""
    lost = max(0, -pnl_sat(instrument, quantity, mark, stop))
    return lost + closing_cost_sat(instrument, quantity, stop, slippage_percent=slippage_percent)


def surely_fits(held: Held, stop: Decimal, allowed: int, slippage_percent: Decimal) -> bool:
    """Whether a coarse bound of the loss is within what is allowed already: most positions need nothing finer.

    From mark to stop a position loses at most its worth at the mark times the ratio of the prices less 1, whichever
    profit formula holds; closing costs less than 1.2 times slippage and fee of its worth at the stop, for less than
    10 % of slippage; and the venue's rounding less than four minor units a lot.
    """
    if held.instrument is None or held.mark is None or not held.worth_sat:
        return False
    lots = abs(held.quantity) // held.instrument.lot_size + 1
    ratio = held.mark / stop if held.side is Side.LONG else stop / held.mark
    if ratio > _FAR or held.worth_sat < _FINE * lots:
        return False
    costs = (slippage_percent / 100 + max(ZERO, held.instrument.taker_fee)) * _MORE
    return held.worth_sat * (ratio - 1 + ratio * costs) + 4 * lots + 4 <= allowed


def _verdict(held: Held, level: Level, stop: Decimal, figures: tuple[int, int], policy: RiskPerTradePolicy) -> Verdict:
    loss, equity = figures
    allowed = max(0, _allowed_sat(equity, policy))
    fits = _fitting(held, loss, allowed)
    return Verdict(
        level=level,
        subject=held.symbol,
        scope=(held.symbol,),
        text=f"{held.symbol} {held.quantity:+d} would lose {money(loss, held.currency)} from here to its stop at"
        f" {stop}, {share(loss, equity):.2f} % of the equity, the limit is {plain(policy.equity_percent)} %",
        advice=f"reduce it to {fits} contracts, or bring its stop nearer",
        facts=(("loss", loss), ("equity", equity), ("stop_price", stop), ("fits", fits)),
        remedy=Remedy(kind=RemedyKind.REDUCE, symbol=held.symbol, contracts=fits),
    )


def _fitting(held: Held, loss: int, allowed: int) -> int:
    """Contracts whose loss fits, in whole lots, rounded down."""
    lot = 1 if held.instrument is None else held.instrument.lot_size
    contracts = abs(held.quantity) * allowed // max(1, loss)
    return min(abs(held.quantity), contracts // lot * lot)
