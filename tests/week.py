"""A bot that trades along days of the tape, as fast as the machine can, and a census of what is kept.

Why: an exchange that runs for weeks must not grow with time. The bot leaves traces of every kind:
fills, resting and cancelled orders under ever new client ids, stops, leverage, transfers, liquidations,
fundings; and clients come and go.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from connectors.simulated.engine.inputs import SetPrices, SymbolPrices
from connectors.simulated.server.realtime import Session
from tests.unit.connectors.simulated.server.rest.visitor import Visitor
from tests.unit.connectors.simulated.server.transcript import Ear

_PRICES = {"XBTUSD": 60_000, "XBTUSDT": 60_000, "ETHUSD": 2_400, "XBTH27": 60_100}
_LOTS = {"XBTUSD": 100, "XBTUSDT": 1_000, "ETHUSD": 1, "XBTH27": 100}


class Bot(Visitor):
    """Trades all contracts with two accounts; every step of the tape is `step_ms`."""

    def __init__(self, *, step_ms: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.step_ms = step_ms
        self.steps = 0
        self.tape_ms = self.now_ms

    def live(self, steps: int) -> None:
        """Live through so many steps."""
        for _ in range(steps):
            self.steps += 1
            self.now_ms += self.step_ms
            self.tape_ms += self.step_ms
            self._move_prices()
            symbol = tuple(_PRICES)[self.steps % len(_PRICES)]
            self._trade(symbol, _PRICES[symbol], self.venue.accounts[self.steps // 4 % 2])
            if self.steps % 50 == 0:
                self._visit()

    def _move_prices(self) -> None:
        share = Decimal(1000 + self.steps * 7 % 41 - 20 - (400 if self.steps % 100 == 99 else 0)) / 1000
        rows = [
            SymbolPrices(
                symbol=symbol,
                mark=price * share,
                index=price * share,
                last=price * share,
                half_spread=Decimal(1),
                depth=10**6,
            )
            for symbol, price in _PRICES.items()
        ]
        self.venue.submit(SetPrices(tape_ms=self.tape_ms, prices=tuple(rows)), step=self.steps)

    def _trade(self, symbol: str, price: int, account: int) -> None:
        key, lots = self.key(account=account), _LOTS[symbol]
        name = f"{self.steps}"
        side = "Buy" if self.steps % 3 else "Sell"
        self.ask("POST", "/order", {"symbol": symbol, "side": side, "orderQty": lots, "clOrdID": f"m{name}"}, key=key)
        resting = {"symbol": symbol, "orderQty": lots, "price": round(price * 0.8), "clOrdID": f"r{name}"}
        self.ask("POST", "/order", resting, key=key)
        stop = {"symbol": symbol, "side": "Sell", "stopPx": round(price * 0.7), "execInst": "Close", "ordType": "Stop"}
        self.ask("POST", "/order", {**stop, "clOrdID": f"s{name}"}, key=key)
        self.ask("POST", "/position/leverage", {"symbol": symbol, "leverage": 5 + self.steps % 5}, key=key)
        if self.steps % 4 == 3:
            self.ask("DELETE", "/order/all", key=key)

    def _visit(self) -> None:
        """Come as a client from an address that was never seen before, look, and go."""
        address = f"10.{self.steps // 65536 % 256}.{self.steps // 256 % 256}.{self.steps % 256}"
        self.send("GET", "/api/v1/trade", address=address)
        session = Session(self.venue, outlet=Ear(), address=address, key=self.key())
        self.venue.hub.add(session)
        session.open(connections_left=1, topics=["trade", "order", "margin"])
        self.venue.hub.remove(session)
        session.close()


def census(document: bytes) -> Counter[str]:
    """Return how many values a snapshot holds, by where they stand, without what has a bound of its own.

    Names of single things (orders, symbols, numbers) are left out of the places, so that those of a kind are
    counted together. A deque is written with its bound, `[1000, [...]]`, and counts for nothing.
    """
    counts: Counter[str] = Counter()

    def count(value: object, path: str) -> None:
        match value:
            case [int(), list()]:
                return
            case dict():
                counts[path] += len(value)
                for name, one in value.items():
                    count(one, f"{path}/{name if _is_field(name) else '*'}")
            case list():
                counts[path] += len(value)
                for one in value:
                    count(one, f"{path}/*")

    count(json.loads(document), "")
    return counts


def _is_field(name: str) -> bool:
    return name.isidentifier() and name.islower()
