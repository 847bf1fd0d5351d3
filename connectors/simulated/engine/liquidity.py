"""Modelled liquidity: what a taker meets, and at which prices.

Why: in a crash the book is wide and thin, and a market order ends far from where it started. The
model is plain enough to predict by hand: levels of `depth` contracts, the first `half_spread`
from the last price, each further one `half_spread` (at least a tick) beyond, on both sides.
Limit orders of other accounts stand in the same book and go first at an equal price. What a taker
used up stays used up until the next step of the tape.

Units: prices in quote currency, sizes in contracts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.market import Market
from connectors.simulated.engine.orders import Order, Side

MAX_LEVELS = 500  # modelled levels a side; beyond them there is nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """One piece of liquidity a taker meets; `maker` is None for modelled liquidity."""

    price: Decimal
    quantity: int
    maker: Order | None = None


def levels(market: Market, taker: Side) -> Iterator[Match]:
    """Yield the modelled levels a taker of one side meets, best first."""
    contract = market.contract
    size = market.depth // contract.lot_size * contract.lot_size
    if not size:
        return
    step = max(market.half_spread, contract.tick_size)
    used = market.taken.get(taker, 0)
    for number in range(MAX_LEVELS):
        if used >= size:
            used -= size
            continue
        distance = market.half_spread + step * number
        price = contract.on_tick(market.last + distance * taker.sign, up=taker is Side.BUY)
        if not 0 < price <= contract.max_price:
            return
        yield Match(price=price, quantity=size - used)
        used = 0


def is_at_least_as_good(price: Decimal, bound: Decimal | None, taker: Side) -> bool:
    """Return whether a taker bounded by a price accepts another one."""
    if bound is None:
        return True
    return price <= bound if taker is Side.BUY else price >= bound


def plan(
    market: Market,
    *,
    taker: Side,
    quantity: int,
    bound: Decimal | None,
    resting: list[Order],
) -> list[Match]:
    """Return the matches a taker would have now, without making them.

    Args:
        market: Where it trades.
        taker: Side of the taker.
        quantity: Contracts wanted.
        bound: Worst price accepted; None for any.
        resting: Limit orders of other accounts on the opposite side, best first.

    Returns:
        Matches in order; together at most `quantity`.
    """
    matches: list[Match] = []
    left = quantity
    for offer in _book(market, taker, resting):
        if not left or not is_at_least_as_good(offer.price, bound, taker):
            break
        size = min(left, offer.quantity)
        matches.append(Match(price=offer.price, quantity=size, maker=offer.maker))
        left -= size
    return matches


def _book(market: Market, taker: Side, resting: list[Order]) -> Iterator[Match]:
    """Yield modelled levels and resting orders together, best first, orders first at a tie."""
    makers = [
        Match(price=order.price, quantity=order.leaves, maker=order) for order in resting if order.price is not None
    ]
    for level in levels(market, taker):
        while makers and is_at_least_as_good(makers[0].price, level.price, taker):
            yield makers.pop(0)
        yield level
    yield from makers
