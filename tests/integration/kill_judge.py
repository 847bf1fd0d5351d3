"""What a kill must not do, judged at the exchange: from its own changes, over all lives of a guard.

Units: prices `Decimal`, quantities contracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.server.embedded import EmbeddedExchange

OURS = "sw-"
MOST_STOPS = 2
_ENDED = frozenset({"Filled", "Canceled", "Rejected"})


class KillJudge:
    """Watches one exchange; `faults` says what was wrong, promise first."""

    def __init__(self, exchange: EmbeddedExchange) -> None:
        self.faults: list[str] = []
        self.most_stops = 0
        self.stops_seen = 0
        self._sizes: dict[str, int] = {}
        self._resting: dict[str, dict[str, Row]] = {}
        self._owners: dict[str, str] = {}
        self._tightest: dict[str, Decimal] = {}
        hub = exchange.venue.hub
        publish = hub.publish

        def watched(changes: Sequence[Change]) -> None:
            for change in changes:
                self._take(change)
            publish(changes)

        hub.publish = watched  # type: ignore[method-assign]

    def size(self, symbol: str) -> int:
        """Signed contracts."""
        return self._sizes.get(symbol, 0)

    def is_covered(self, symbol: str) -> bool:
        """Whether one stop of ours rests for exactly the position there is, or none for none."""
        held = self.size(symbol)
        stops = list(self._resting.get(symbol, {}).values())
        if not held:
            return not stops
        (side, quantity) = ("Sell", held) if held > 0 else ("Buy", -held)
        return [(row["side"], row["orderQty"]) for row in stops] == [(side, quantity)]

    def _take(self, change: Change) -> None:
        row = change.row
        if change.table == "execution" and row["execType"] in {"Trade", "Liquidation"} and row["lastQty"]:
            self._take_execution(row)
        elif change.table == "order" and str(row["clOrdID"]).startswith(OURS):
            self._take_order(row)

    def _take_execution(self, row: Row) -> None:
        symbol, before = str(row["symbol"]), self.size(str(row["symbol"]))
        after = before + int(str(row["lastQty"])) * (1 if row["side"] == "Buy" else -1)
        if str(row["clOrdID"]).startswith(OURS) and (abs(after) > abs(before) or before * after < 0):
            self.faults.append(f"P1: {row['clOrdID']} took {symbol} from {before} to {after}")
        if "iquidat" in str(row["text"]):
            self.faults.append(f"P2: {symbol} was liquidated")
        if before * after <= 0:
            self._tightest.pop(symbol, None)
        self._sizes[symbol] = after

    def _take_order(self, row: Row) -> None:
        name, order_id, symbol = str(row["clOrdID"]), str(row["orderID"]), str(row["symbol"])
        if self._owners.setdefault(name, order_id) != order_id:
            self.faults.append(f"P4: {name} is the name of two orders")
        stops = self._resting.setdefault(symbol, {})
        if row["ordStatus"] in _ENDED or row["ordType"] != "Stop" or row["triggered"]:
            stops.pop(order_id, None)
            return
        self._check_trigger(row, stops.get(order_id))
        stops[order_id] = row
        self.stops_seen += 1
        self.most_stops = max(self.most_stops, len(stops))
        if len(stops) > MOST_STOPS:
            self.faults.append(f"P4: {len(stops)} stops of ours rest for {symbol}")

    def _check_trigger(self, row: Row, before: Row | None) -> None:
        """P3: in the life of a position no stop of ours rests farther from the mark than one did before."""
        symbol, side, price = str(row["symbol"]), row["side"], Decimal(str(row["stopPx"]))
        if self.size(symbol) * (1 if side == "Sell" else -1) <= 0:
            return  # what is left of the position before says nothing about this one
        if before is not None and before["stopPx"] == row["stopPx"]:
            return
        tightest = self._tightest.get(symbol)
        if tightest is not None and (price < tightest if side == "Sell" else price > tightest):
            self.faults.append(f"P3: a stop of {symbol} went from {tightest} to {price}")
        elif tightest is None or price != tightest:
            self._tightest[symbol] = price
