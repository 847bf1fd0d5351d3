"""A recording as the tape: its books, trades and prices become the market of the exchange.

Frames that arrived within `GRAIN_MS` of each other make one step. A contract joins with its first
price; contracts the recording does not name, or that are not listed, stay without prices.

Mark and index are the recorded ones where `instrument` frames carry them. Elsewhere the mark follows
the last price with the time constant of modelled tapes (`MARK_TIME_S`), never further from it than
`MARK_BOUND`, and the index stands a hair below it.

A book that is crossed in the middle of a burst of deltas is not shown; the levels before it stay.
Prices between the ticks of the listed contract go to the next tick (of a level: away from the
other side), sizes of levels down to whole lots. Floats smooth the mark only.

Units: prices in quote currency, sizes in contracts, times in ms.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from math import exp
from pathlib import Path

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.inputs import Print, SymbolPrices
from connectors.simulated.tape.market import MARK_BOUND, MARK_TIME_S
from connectors.simulated.tape.recording import Event, RecordingError, Row, read_recording
from connectors.simulated.tape.tape import Step

GRAIN_MS = 100
LEVELS = 25  # a side
_INDEX_BELOW = Decimal("0.9999")  # of the mark
_UNNAMED_DEPTH_LOTS = 1_000  # a level, where the recording has trades but no book
_Level = tuple[Decimal, int]


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What the recording has told about one contract so far."""

    contract: Contract
    orders: dict[tuple[str, int], _Level] = field(default_factory=dict)
    bids: tuple[_Level, ...] = ()
    asks: tuple[_Level, ...] = ()
    touch: tuple[Decimal, Decimal] | None = None  # of the latest quote
    last: Decimal | None = None
    prints: list[Print] = field(default_factory=list)  # since the step before
    mark: Decimal | None = None
    index: Decimal | None = None
    funding_rate: Decimal | None = None
    fair: float = 0.0
    fair_ms: int = 0

    def take(self, event: Event, row: Row) -> None:
        """Fold one row in."""
        match event.table:
            case "orderBookL2" | "orderBookL2_25":
                self._take_level(event.action, row)
            case "orderBook10":
                self._take_ten(row)
            case "quote":
                if row.bid_price and row.ask_price:
                    self.touch = (row.bid_price, row.ask_price)
            case "trade":
                self._take_trade(event.action, row)
            case _:
                self._take_instrument(row)

    def _take_level(self, action: str, row: Row) -> None:
        if row.id is None or row.side is None:
            return
        key = (row.side, row.id)
        known = self.orders.get(key)
        if action == "delete":
            self.orders.pop(key, None)
        elif row.size is not None and (row.price is not None or known is not None):
            price = row.price if row.price is not None else known[0] if known else Decimal(0)
            self.orders[key] = self._level(price, row.size, is_bid=row.side == "Buy")

    def _level(self, price: Decimal, size: int, *, is_bid: bool) -> _Level:
        lot = self.contract.lot_size
        return self.contract.on_tick(price, up=not is_bid), size // lot * lot

    def _take_ten(self, row: Row) -> None:
        if row.bids is not None:
            self.bids = _standing(self._level(price, size, is_bid=True) for price, size in row.bids)
        if row.asks is not None:
            self.asks = _standing(self._level(price, size, is_bid=False) for price, size in row.asks)

    def _take_trade(self, action: str, row: Row) -> None:
        if not row.price or row.price <= 0:
            return
        self.last = self.contract.on_tick(row.price, up=False)
        if action == "insert" and row.size and row.side in {"Buy", "Sell"}:
            self.prints.append(Print(side=row.side, size=row.size, price=self.last))

    def _take_instrument(self, row: Row) -> None:
        self.mark = row.mark_price or self.mark
        self.index = row.indicative_settle_price or self.index
        if row.last_price:
            self.last = self.contract.on_tick(row.last_price, up=False)
        if row.funding_rate is not None:
            self.funding_rate = row.funding_rate

    def settle(self) -> None:
        """Take the best levels out of the orders, unless they are crossed just now."""
        if not self.orders:
            return
        levels = [(side, level) for (side, _), level in self.orders.items()]
        bids = heapq.nlargest(LEVELS, _standing(level for side, level in levels if side == "Buy"))
        asks = heapq.nsmallest(LEVELS, _standing(level for side, level in levels if side == "Sell"))
        if not bids or not asks or bids[0][0] < asks[0][0]:
            self.bids, self.asks = tuple(bids), tuple(asks)

    def prices(self, at_ms: int) -> SymbolPrices | None:
        """Return the contract's prices now, None while no price is known."""
        bid, ask = self._best()
        last = self.last or bid or ask
        if last is None:
            return None
        mark = self.mark or self._smoothed(last, at_ms)
        prints, self.prints = tuple(self.prints), []
        passed = [one.price for one in prints] + [last]
        return SymbolPrices(
            symbol=self.contract.symbol,
            mark=mark,
            index=self.index or self._on_unit(mark * _INDEX_BELOW),
            last=last,
            half_spread=self.contract.tick_size if bid is None or ask is None else max((ask - bid) / 2, Decimal(0)),
            depth=_UNNAMED_DEPTH_LOTS * self.contract.lot_size,
            funding_rate=self.funding_rate,
            # Resting orders that the book has crossed without a trade were passed as well.
            low=min(passed if ask is None else [*passed, ask]),
            high=max(passed if bid is None else [*passed, bid]),
            bids=self.bids,
            asks=self.asks,
            trades=prints,
        )

    def _best(self) -> tuple[Decimal | None, Decimal | None]:
        if self.bids or self.asks:
            return (self.bids[0][0] if self.bids else None, self.asks[0][0] if self.asks else None)
        return self.touch or (None, None)

    def _smoothed(self, last: Decimal, at_ms: int) -> Decimal:
        goal = float(last)
        kept = exp((self.fair_ms - at_ms) / (1000 * MARK_TIME_S)) if self.fair_ms else 0.0
        fair = goal + (self.fair - goal) * kept
        self.fair = min(max(fair, goal * (1 - MARK_BOUND)), goal * (1 + MARK_BOUND))
        self.fair_ms = at_ms
        return self._on_unit(Decimal(self.fair))

    def _on_unit(self, price: Decimal) -> Decimal:
        """Return the price on a tenth of the tick, which is where marks stand."""
        unit = self.contract.tick_size / 10
        return max(unit, (price / unit).to_integral_value() * unit)


class RecordedTape:
    """A tape off a recording: the same file and speed give the same steps, from any index on."""

    def __init__(self, path: Path | str, contracts: Mapping[str, Contract], *, factor: float = 1.0) -> None:
        """Read the recording once, to find out whether it can be played.

        Args:
            path: The file.
            contracts: What is listed, by symbol.
            factor: How much faster than recorded; `inf` for as fast as possible.

        Raises:
            RecordingError: If the file cannot be read or prices nothing that is listed.
        """
        self._path = path
        self._contracts = contracts
        self._factor = factor
        if next(self.steps(), None) is None:
            raise RecordingError(f"{path}: holds no price of a listed contract; list its day with --instruments")

    def steps(self, start: int = 0) -> Iterator[Step]:
        """Yield the steps from `start` on, exactly as if all before had been yielded too."""
        before: Step | None = None
        for step in self._unpaced():
            if before is not None and before.index >= start:
                yield self._lasting(before, step.tape_ms - before.tape_ms)
            before = step
        if before is not None and before.index >= start:
            yield self._lasting(before, 0)

    def _lasting(self, step: Step, tape_ms: int) -> Step:
        return Step(index=step.index, tape_ms=step.tape_ms, real_ms=round(tape_ms / self._factor), prices=step.prices)

    def _unpaced(self) -> Iterator[Step]:
        seen: dict[str, _Seen] = {}
        index = 0
        for _, burst in groupby(read_recording(self._path), key=lambda event: event.at_ms // GRAIN_MS):
            moved: dict[str, _Seen] = {}
            at_ms = 0
            for event in burst:
                at_ms = event.at_ms
                self._fold(event, seen, moved)
            prices = tuple(one for each in moved.values() if (one := _settled(each, at_ms)) is not None)
            if prices:
                yield Step(index=index, tape_ms=at_ms, real_ms=0, prices=prices)
                index += 1

    def _fold(self, event: Event, seen: dict[str, _Seen], moved: dict[str, _Seen]) -> None:
        fresh: set[str] = set()
        for row in event.rows:
            contract = self._contracts.get(row.symbol)
            if contract is None:
                continue
            one = seen.setdefault(row.symbol, _Seen(contract=contract))
            if event.action == "partial" and event.table.startswith("orderBookL2") and row.symbol not in fresh:
                fresh.add(row.symbol)
                one.orders.clear()
            one.take(event, row)
            moved[row.symbol] = one


def _standing(levels: Iterable[_Level]) -> tuple[_Level, ...]:
    """Return the levels that hold a lot or more at a price; those that today's coarser tick makes one are one."""
    sizes: dict[Decimal, int] = {}
    for price, size in levels:
        if size and price > 0:
            sizes[price] = sizes.get(price, 0) + size
    return tuple(sizes.items())


def _settled(one: _Seen, at_ms: int) -> SymbolPrices | None:
    one.settle()
    return one.prices(at_ms)
