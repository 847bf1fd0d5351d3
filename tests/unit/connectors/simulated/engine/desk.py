"""A small exchange with prices and accounts, for tests of the engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.inputs import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Input,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    SetPrices,
    SymbolPrices,
)
from connectors.simulated.engine.switches import Switches

START_MS = 1_780_000_000_000
TAPE_MS = 1_621_382_400_000  # 2021-05-19 00:00 UTC
XBT = 100_000_000  # XBt in one XBT
ALICE, BOB = 1, 2


def prices(symbol: str = "XBTUSD", mark: object = 50_000, **named: Any) -> SymbolPrices:
    """Return prices with last and index at the mark unless named, a tight and deep book."""
    fields = {"last": mark, "index": mark, "half_spread": "0.5", "depth": 1_000_000} | named
    for name in ("last", "index", "half_spread", "low", "high", "funding_rate", "limit_down", "limit_up"):
        if fields.get(name) is not None:
            fields[name] = Decimal(str(fields[name]))
    return SymbolPrices(symbol=symbol, mark=Decimal(str(mark)), **fields)


OPENING = (
    prices("XBTUSD", 50_000),
    prices("XBTUSDT", 50_000),
    prices("ETHUSD", 3_000, half_spread="0.05"),
    prices("XBTH27", 50_500),
)


class Desk:
    """An exchange at 50,000 with two accounts of 1 XBT and 10,000 USDT each."""

    def __init__(self, **switches: Any) -> None:
        self.exchange = Exchange(switches=Switches(**switches))
        self.at_ms = START_MS
        self.tape_ms = TAPE_MS
        for number in (ALICE, BOB):
            self.apply(OpenAccount(account=number, balances={"XBt": XBT, "USDt": 10_000_000_000}))
        self.apply(SetPrices(tape_ms=self.tape_ms, prices=OPENING))
        self.exchange.take_changes()

    def apply(self, value: Input) -> Any:
        """Apply an input at the present time."""
        return self.exchange.apply(value, at_ms=self.at_ms)

    def move(self, *steps: SymbolPrices, tape_ms: int | None = None) -> list[Change]:
        """Move prices one second on and return the changes that follow."""
        self.at_ms += 1000
        self.tape_ms = self.tape_ms + 1000 if tape_ms is None else tape_ms
        self.exchange.take_changes()
        self.apply(SetPrices(tape_ms=self.tape_ms, prices=steps))
        return self.exchange.take_changes()

    def place(self, quantity: int | None = None, account: int = ALICE, **fields: Any) -> Row:
        """Place an order; the symbol is XBTUSD unless named."""
        for name in ("price", "stop_px"):
            if fields.get(name) is not None:
                fields[name] = Decimal(str(fields[name]))
        request = PlaceOrder(
            account=account,
            symbol=fields.pop("symbol", "XBTUSD"),
            order_qty=quantity,
            **fields,
        )
        row: Row = self.apply(request)
        return row

    def stop(self, stop_px: object, side: str = "Sell", **fields: Any) -> Row:
        """Place a mark-price Close stop of the whole position."""
        fields.setdefault("exec_inst", "MarkPrice,Close")
        return self.place(side=side, stop_px=stop_px, ord_type="Stop", **fields)

    def amend(self, order: Row, **fields: Any) -> Row:
        """Amend an order by its id."""
        for name in ("price", "stop_px"):
            if name in fields:
                fields[name] = Decimal(str(fields[name]))
        row: Row = self.apply(AmendOrder(account=ALICE, order_id=str(order["orderID"]), **fields))
        return row

    def cancel(self, *ids: object, account: int = ALICE) -> list[Row]:
        """Cancel orders by id."""
        rows: list[Row] = self.apply(CancelOrders(account=account, order_ids=tuple(map(str, ids))))
        return rows

    def cancel_all(self, **fields: Any) -> list[Row]:
        """Cancel all orders of the first account."""
        rows: list[Row] = self.apply(CancelAll(account=ALICE, **fields))
        return rows

    def arm(self, timeout_ms: int, account: int = ALICE) -> Row:
        """Set the dead man's switch."""
        row: Row = self.apply(CancelAllAfter(account=account, timeout_ms=timeout_ms))
        return row

    def leverage(self, leverage: object, symbol: str = "XBTUSD", account: int = ALICE) -> Row:
        """Set the leverage; 0 is cross."""
        request = SetLeverage(account=account, symbol=symbol, leverage=Decimal(str(leverage)))
        row: Row = self.apply(request)
        return row

    def order(self, placed: Row) -> Row:
        """Return an order's row as it is now."""
        rows = self.exchange.order_rows(int(str(placed["account"])))
        return next(row for row in rows if row["orderID"] == placed["orderID"])

    def position(self, symbol: str = "XBTUSD", account: int = ALICE) -> Row:
        """Return a position's row as it is now."""
        rows = self.exchange.position_rows(account)
        return next(row for row in rows if row["symbol"] == symbol)

    def margin(self, currency: str = "XBt", account: int = ALICE) -> Row:
        """Return a margin row as it is now."""
        rows = self.exchange.margin_rows(account)
        return next(row for row in rows if row["currency"] == currency)

    def executions(self, account: int = ALICE) -> list[Row]:
        """Return all executions so far."""
        return self.exchange.execution_rows(account)

    def refusal(self, call: Any) -> Refused:
        """Return the refusal a call ends in."""
        try:
            call()
        except Refused as refused:
            return refused
        raise AssertionError("was not refused")


def number(cell: object) -> Decimal:
    """Return a cell as a number."""
    return Decimal(str(cell))


def tables(changes: list[Change]) -> list[str]:
    """Return the tables of private changes and liquidations, in order."""
    public = {"instrument", "quote", "trade"}
    return [change.table for change in changes if change.table not in public]
