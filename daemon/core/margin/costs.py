"""What trading and holding cost: profit between two prices, fees, slippage, funding.

Why: a stop that ignores fees and slippage loses more than its trader agreed to, and a return that leaves them out is
not one. Rules, ladder and calculators all count with the functions here. Profit is exactly the venue's arithmetic;
everything that is an expectation or a part of a minor unit is rounded against us.

Units: money as whole minor units of the settlement currency (XBt, USDt); prices in the quote currency; rates as
fractions of the worth at the price (0.0005 = 0.05 %); slippage in percent of a price; quantities signed, a short below
zero. Contracts must be usable (`contracts.is_usable`), prices finite and above zero (`contracts.is_price`).
Source: www.bitmex.com/app/inversePerpetualsGuide (profit), /app/fees, /app/perpetualContractsGuide (funding).
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

from connectors.vocabulary import Instrument, Side
from daemon.core.margin.contracts import value_sat

DAY_NS: Final = 86_400 * 10**9
USUAL_FUNDING_INTERVAL_NS: Final = DAY_NS // 3
"""Funding is exchanged every eight hours where the contract has a rate and its interval is not told."""

_HUNDRED: Final = Decimal(100)
_LOWER: Final = Context(prec=60, rounding=ROUND_FLOOR)
_HIGHER: Final = Context(prec=60, rounding=ROUND_CEILING)


def pnl_sat(instrument: Instrument, quantity: int, entry: Decimal, exit_price: Decimal) -> int:
    """Return the profit of `quantity` contracts from one price to another, fees and funding left out.

    Both worths are rounded per lot as the venue rounds them, so an average entry price (which is no price of a trade)
    may be off by less than one minor unit per lot: give rows their own cost with `contracts.unrealised_pnl_sat`.
    """
    return value_sat(instrument, quantity, exit_price) - value_sat(instrument, quantity, entry)


def fee_sat(instrument: Instrument, quantity: int, price: Decimal, rate: Decimal) -> int:
    """Return the fee of a trade, rounded up; a rebate (rate below zero) is below zero and rounded to the smaller."""
    return _share_up(abs(value_sat(instrument, quantity, price)), rate)


def worse_price(price: Decimal, side: Side, slippage_percent: Decimal) -> Decimal:
    """Return where a position of `side` is closed if the fill slips: a long lower, a short higher. Not on the tick.

    Args:
        price: Where it was meant to be closed.
        side: Direction of the position that is closed.
        slippage_percent: Percent of the price, from 0 to below 100.

    Example:
        >>> worse_price(Decimal(50_000), Side.LONG, Decimal("0.1"))
        Decimal('49950.0')
    """
    context = _LOWER if side is Side.LONG else _HIGHER
    factor = context.subtract(_HUNDRED, slippage_percent * side.sign)
    return context.divide(context.multiply(price, factor), _HUNDRED)


def closing_cost_sat(instrument: Instrument, quantity: int, price: Decimal, *, slippage_percent: Decimal) -> int:
    """Return what closing at the market costs against a close at `price` for nothing: taker fee and slippage.

    Args:
        instrument: The contract; a taker fee below zero counts as none.
        quantity: Signed contracts of the position that is closed.
        price: The price of reference: a mark, or the trigger of a stop.
        slippage_percent: How much worse the fill is expected to be, percent of the price, from 0 to below 100.

    Returns:
        Zero or above; zero when flat.
    """
    if not quantity:
        return 0
    fill = worse_price(price, Side.LONG if quantity > 0 else Side.SHORT, slippage_percent)
    slippage = max(0, -pnl_sat(instrument, quantity, price, fill))
    return slippage + fee_sat(instrument, quantity, fill, max(Decimal(0), instrument.taker_fee))


def funding_payment_sat(instrument: Instrument, quantity: int, mark: Decimal) -> int:
    """Return what the next funding stamp takes at this mark: above zero we pay, below zero we receive.

    Rounded up, so what is received is the smaller figure.
    """
    sign = (quantity > 0) - (quantity < 0)
    return _share_up(abs(value_sat(instrument, quantity, mark)), sign * instrument.funding_rate)


def funding_cost_a_day_sat(instrument: Instrument, quantity: int, mark: Decimal) -> int:
    """Return what funding takes in a day if rate and mark stay as they are; signed and rounded as above."""
    interval = instrument.funding_interval_ns or USUAL_FUNDING_INTERVAL_NS
    return -(-funding_payment_sat(instrument, quantity, mark) * DAY_NS // interval)


def _share_up(amount: int, rate: Decimal) -> int:
    """Return a share of an amount, rounded up (toward paying more or receiving less)."""
    numerator, denominator = rate.as_integer_ratio()
    return -(-amount * numerator // denominator)
