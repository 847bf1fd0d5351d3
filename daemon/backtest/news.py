"""What the exchange publishes, read as the connector reads it: rows of its tables into words of the sink.

Why: the guard must be told in the same words as in life, so every row goes through the connector's own parser. Only the
JSON between the two is left out: an engine row holds the very cells that its frame would.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from connectors.bitmex.protocol.numbers import Row
from connectors.bitmex.protocol.parse import (
    INSTRUMENT_COLUMNS,
    is_refused_request,
    parse_execution,
    parse_instrument,
    parse_margin,
    parse_order,
    parse_position,
    refusal_reason,
)
from connectors.bitmex.protocol.parse_inputs import parse_insurance, parse_liquidation, parse_wallet
from connectors.ports import FeedSink
from connectors.simulated.engine.changes import Change

_FIGURES: Final = tuple(sorted(INSTRUMENT_COLUMNS))


def exact_mark(frame: bytes, _symbol: str, /) -> Decimal:
    """Read a mark back out of what stands for its frame here: the figure alone, digit for digit."""
    return Decimal(frame.decode())


class NewsReader:
    """Turns changes of tables into calls of a sink."""

    def __init__(self, sink: FeedSink) -> None:
        self._sink = sink
        self._figures: tuple[object, ...] = ()
        self._readers: dict[str, Callable[[Row, int], None]] = {
            "order": self._order,
            "position": self._position,
            "margin": self._margin,
            "execution": self._execution,
            "wallet": self._wallet,
            "insurance": self._insurance,
            "instrument": self._instrument,
        }

    def read(self, change: Change, received_ns: int) -> None:
        """Pass one row on; tables that no guard listens to are passed over."""
        if change.table == "liquidation":
            order = parse_liquidation(change.row)
            self._sink.liquidation(order, is_gone=change.is_delete, received_ns=received_ns)
            return
        reader = self._readers.get(change.table)
        if reader is not None and not change.is_delete:
            reader(change.row, received_ns)

    def _order(self, row: Row, received_ns: int) -> None:
        self._sink.order(parse_order(row), received_ns=received_ns)

    def _position(self, row: Row, received_ns: int) -> None:
        self._sink.position(parse_position(row), received_ns=received_ns)

    def _margin(self, row: Row, received_ns: int) -> None:
        self._sink.margin(parse_margin(row), received_ns=received_ns)

    def _wallet(self, row: Row, received_ns: int) -> None:
        self._sink.wallet(parse_wallet(row), received_ns=received_ns)

    def _insurance(self, row: Row, received_ns: int) -> None:
        self._sink.insurance(parse_insurance(row), received_ns=received_ns)

    def _execution(self, row: Row, received_ns: int) -> None:
        if is_refused_request(row):
            names = (str(row.get("clOrdID") or ""), str(row.get("orderID") or ""))
            self._sink.request_refused(*names, refusal_reason(row), received_ns=received_ns)
            return
        self._sink.execution(parse_execution(row), received_ns=received_ns)

    def _instrument(self, row: Row, received_ns: int) -> None:
        """Tell a contract's figures when one changed, its mark always."""
        figures = tuple(row.get(column) for column in _FIGURES)
        if figures != self._figures:
            self._figures = figures
            instrument = parse_instrument(row)
            if instrument is not None:
                self._sink.instrument(instrument, received_ns=received_ns)
        mark = row.get("markPrice")
        if isinstance(mark, Decimal):
            self._sink.mark_price(str(row["symbol"]), float(mark), str(mark).encode(), received_ns=received_ns)
