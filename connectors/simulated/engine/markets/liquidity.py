"""What a taker meets, best first: resting orders and the levels that the price tape gives.

Why: in a crash the book is wide and thin, and a market order ends far from where it started. The
tape's levels are either recorded ones or modelled, plain enough to predict by hand: the first
holds `depth` contracts `half_spread` from the last price, each further one stands one `half_spread`
(at least a tick) beyond and holds the share `thinning` less, and a seeded share `gaps` of them is
missing. What a taker used up stays used up until the next step. Nobody else tells the two
sources apart: at one price displayed orders go first, then the tape's level, then hidden orders.

Units: prices in quote currency, sizes in contracts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from zlib import crc32

from msgspec import Struct

from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.resting.book import Offer
from connectors.simulated.engine.resting.orders import Order, Side
from connectors.simulated.engine.switches import SelfTrade

MAX_LEVELS = 500  # modelled levels a side; beyond them there is nothing
_HASHES = 2**32


class Match(Struct, frozen=True, kw_only=True):
    """One piece of liquidity a taker meets; `maker` is None for the tape's levels."""

    price: Decimal
    quantity: int
    maker: Order | None = None
    is_dark: bool = False  # the maker pays the taker's fee: what was hit was hidden


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a taker would do to the book.

    Attributes:
        matches: In order; together at most what the taker wants.
        own: Resting orders of the taker's account that stand in its way.
    """

    matches: list[Match] = field(default_factory=list)
    own: list[Order] = field(default_factory=list)

    @property
    def quantity(self) -> int:
        """Contracts of all matches."""
        return sum(match.quantity for match in self.matches)


def levels(market: Market, taker: Side) -> Iterator[Match]:
    """Yield what is left of the tape's levels on the side a taker meets, best first; none in a halt."""
    if market.is_halted or not market.has_prices:
        return
    recorded = market.recorded.get(taker)
    used = market.taken.get(taker, 0)
    for price, size in _modelled(market, taker) if recorded is None else recorded:
        if used >= size:
            used -= size
            continue
        yield Match(price=price, quantity=size - used)
        used = 0


def _modelled(market: Market, taker: Side) -> Iterator[tuple[Decimal, int]]:
    contract = market.contract
    step = max(market.half_spread, contract.tick_size)
    depth, touch = Decimal(market.depth), market.touch(taker)
    for number in range(MAX_LEVELS):
        size = int(depth) // contract.lot_size * contract.lot_size
        if not size:
            return
        price = contract.on_tick(touch + step * number * taker.sign, up=taker is Side.BUY)
        if not contract.min_price <= price <= contract.max_price:
            return
        if not _is_gap(market, taker, number):
            yield price, size
        if market.thinning:
            depth *= 1 - market.thinning


def _is_gap(market: Market, taker: Side, number: int) -> bool:
    """Return whether a modelled level is missing; the first never is."""
    if not market.gaps or not number:
        return False
    drawn = crc32(f"{market.contract.symbol}/{market.gap_seed}/{taker.value}/{number}".encode())
    return drawn < market.gaps * _HASHES


def offers(market: Market, taker: Side) -> Iterator[Match]:
    """Yield everything a taker meets, whoever it belongs to, best first."""
    resting = market.book.side(taker.other).offers()
    offer = next(resting, None)
    for level in levels(market, taker):
        while offer is not None and _goes_before(offer, level, taker):
            yield _match(offer)
            offer = next(resting, None)
        yield level
    if offer is not None:
        yield _match(offer)
        yield from map(_match, resting)


def _match(offer: Offer) -> Match:
    return Match(price=offer.price, quantity=offer.quantity, maker=offer.order, is_dark=offer.is_dark)


def _goes_before(offer: Offer, level: Match, taker: Side) -> bool:
    if offer.price == level.price:
        return not offer.is_dark
    return is_at_least_as_good(offer.price, level.price, taker)


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
    account: int | None = None,
    self_trade: SelfTrade = SelfTrade.CANCEL_RESTING,
) -> Plan:
    """Return what a taker would do now, without doing it.

    Args:
        market: Where it trades.
        taker: Side of the taker.
        quantity: Contracts wanted.
        bound: Worst price accepted; None for any.
        account: Whose orders it does not trade with; None for a taker that owns none.
        self_trade: What happens where it would meet one of them.
    """
    found = Plan()
    if not _may_meet(market, taker, bound):
        return found
    left = quantity
    for offer in offers(market, taker):
        if not left or not is_at_least_as_good(offer.price, bound, taker):
            break
        if offer.maker is not None and offer.maker.account == account:
            if offer.maker not in found.own:
                found.own.append(offer.maker)
            if self_trade is SelfTrade.CANCEL_TAKING:
                break
            continue
        size = min(left, offer.quantity)
        found.matches.append(Match(price=offer.price, quantity=size, maker=offer.maker, is_dark=offer.is_dark))
        left -= size
    return found if not any(match.is_dark for match in found.matches) else _darkened(found)


def _may_meet(market: Market, taker: Side, bound: Decimal | None) -> bool:
    """Return whether any price could be good enough; no level of the tape is better than its touch."""
    resting = market.book.side(taker.other).best
    if resting is not None and is_at_least_as_good(resting, bound, taker):
        return True
    return is_at_least_as_good(market.touch(taker), bound, taker)


def _darkened(found: Plan) -> Plan:
    """Return the plan with both parts of an iceberg dark where both are hit."""
    dark = {match.maker for match in found.matches if match.is_dark}
    matches = [
        Match(price=m.price, quantity=m.quantity, maker=m.maker, is_dark=m.maker in dark) if m.maker else m
        for m in found.matches
    ]
    return Plan(matches=matches, own=found.own)


def best(market: Market, taker: Side) -> Match | None:
    """Return the best displayed price a taker of one side meets, with all that is displayed there."""
    level = next(levels(market, taker), None)
    resting = next(market.book.side(taker.other).displayed(), None)
    if resting is None or (level is not None and not is_at_least_as_good(resting[0], level.price, taker)):
        return level
    price, size = resting
    beside = level.quantity if level is not None and level.price == price else 0
    return Match(price=price, quantity=size + beside)


def displayed(market: Market, side: Side, depth: int) -> list[tuple[Decimal, int]]:
    """Return (price, size) of one side as the public sees it, best first, at most `depth` levels."""
    sizes: dict[Decimal, int] = {}
    for level in levels(market, side.other):
        if len(sizes) >= depth:
            break
        sizes[level.price] = sizes.get(level.price, 0) + level.quantity
    for number, (price, size) in enumerate(market.book.side(side).displayed()):
        if number >= depth:
            break
        sizes[price] = sizes.get(price, 0) + size
    return sorted(sizes.items(), reverse=side is Side.BUY)[:depth]


def is_book(bids: tuple[tuple[Decimal, int], ...], asks: tuple[tuple[Decimal, int], ...]) -> bool:
    """Return whether recorded levels make a book: sizes and prices above zero, best first, not crossed."""
    if not bids and not asks:
        return True  # the usual case
    if any(not price.is_finite() or price <= 0 or size <= 0 for price, size in (*bids, *asks)):
        return False
    falling = all(one[0] > other[0] for one, other in pairwise(bids))
    rising = all(one[0] < other[0] for one, other in pairwise(asks))
    return falling and rising and (not bids or not asks or bids[0][0] < asks[0][0])
