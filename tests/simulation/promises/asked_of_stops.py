"""How near to the mark a cover has to be, worked out from the exchange's rows alone: a second opinion on P2.

Two bounds that hold under any settings: the buffer in front of liquidation (the percentage part of it; volatility only
widens it), and in cross margin the common move of all marks at which the account fails. Both are what policy asks at
least: every other rule of stops only goes nearer.

Units: prices `Decimal`, money in minor units as floats (a second opinion needs no sat), moves as fractions of the mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.policy import StopPolicy
from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.exchange import Exchange
from tests.simulation.promises.book import Holding, Key, decimal_of

SLACK_SHARE: Final = Decimal("0.002")
"""What the venue's rounding and a liquidation price that creeps with every mark (cross margin) may explain, of the
price; a guard tightens ahead of the creep by a twentieth of its buffer, which is half of this at least."""
FARTHEST: Final = 0.6
"""Common moves beyond this are not looked at."""
_HALVINGS: Final = 24


def buffered_trigger(held: Holding, policy: StopPolicy) -> Decimal | None:
    """The trigger that the buffer in front of liquidation asks for; None where nothing can be liquidated."""
    liquidation = held.liquidation
    if not held.can_be_liquidated or liquidation is None:
        return None
    sign = 1 if held.quantity > 0 else -1
    kept = liquidation * policy.buffer_percent / 100
    way = Decimal(0) if held.entry is None else sign * (held.entry - liquidation)
    if way > 0:
        kept = min(kept, way * policy.max_room_share)
    return liquidation + sign * kept


def loosened(trigger: Decimal, quantity: int) -> Decimal:
    """A trigger, as far from the mark as the tolerance allows."""
    slack = trigger * SLACK_SHARE
    return trigger - slack if quantity > 0 else trigger + slack


@dataclass(frozen=True, slots=True)
class _Cross:
    """One cross position: its value at a move of its mark, and the share of it that has to be kept."""

    lots: int
    is_inverse: bool
    lot_value: float
    sign: int
    maintenance: float

    def value(self, move: float) -> float:
        """Unsigned value once its mark has moved."""
        value = self.lots * self.lot_value
        return value / (1 + move) if self.is_inverse else value * (1 + move)

    def gain(self, move: float) -> float:
        """What the move brings its holder."""
        change = self.value(move) - self.value(0.0)
        return -change * self.sign if self.is_inverse else change * self.sign

    def needed(self, move: float) -> float:
        """Maintenance margin after the move."""
        return self.maintenance * self.value(move) / max(self.value(0.0), 1e-9)


def common_failures(exchange: Exchange, account: int) -> dict[Key, Decimal]:
    """Marks at which each of several cross positions of one currency is when the account fails as a whole.

    Only where two or more share a currency: one alone is what its liquidation price is about.
    """
    found: dict[Key, Decimal] = {}
    rows = [row for row in exchange.position_rows(account) if row["currentQty"] and row["crossMargin"]]
    for margin in exchange.margin_rows(account):
        shared = [row for row in rows if row["currency"] == margin["currency"]]
        if len(shared) < 2:
            continue
        parts = [_part(exchange, row) for row in shared]
        spare = float(str(margin["marginBalance"])) - _isolated(exchange, account, str(margin["currency"]))
        for row, part in zip(shared, parts, strict=True):
            move = _failure(parts, spare, -part.sign)
            mark = decimal_of(row["markPrice"])
            if move is not None and mark is not None:
                found[account, str(row["symbol"])] = mark * (1 + Decimal(str(round(move, 9))))
    return found


def _part(exchange: Exchange, row: Row) -> _Cross:
    symbol, quantity = str(row["symbol"]), int(str(row["currentQty"]))
    market = exchange.world.markets[symbol]
    return _Cross(
        lots=market.contract.lots(quantity),
        is_inverse=market.contract.kind.value == "inverse",
        lot_value=float(market.contract.lot_value(market.mark)),
        sign=1 if quantity > 0 else -1,
        maintenance=float(str(row["maintMargin"])),
    )


def _isolated(exchange: Exchange, account: int, currency: str) -> float:
    """What of the balance belongs to isolated positions."""
    rows = [row for row in exchange.position_rows(account) if row["currentQty"] and not row["crossMargin"]]
    return sum(float(str(row["posMargin"] or 0)) + float(str(row["unrealisedPnl"] or 0)) for row in rows
               if row["currency"] == currency)  # fmt: skip


def _failure(parts: list[_Cross], spare: float, direction: int) -> float | None:
    """The nearest common move in a direction at which nothing is spare; None when none is in sight."""

    def left(move: float) -> float:
        return spare + sum(part.gain(move) - part.needed(move) for part in parts)

    if left(0.0) <= 0:
        return None
    low, high = 0.0, direction * FARTHEST
    if left(high) > 0:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if left(middle) <= 0 else (middle, high)
    return high
