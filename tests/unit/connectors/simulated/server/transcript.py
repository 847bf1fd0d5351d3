"""Everything one client is told over a stretch of the tape: the bytes of its answers and its frames.

Run as a program it prints a digest, so that runs under different seeds of Python's own hashes can be
compared.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.simulated.engine.inputs import SetPrices
from connectors.simulated.server.messages import Message
from connectors.simulated.server.realtime import Session
from connectors.simulated.server.rest.door import Door
from connectors.simulated.server.venue import Venue
from connectors.simulated.tape.source import tape_of_scenario
from tests.unit.connectors.simulated.server.rest.visitor import Visitor

STEP_MS = 700
PUBLIC = (
    "instrument",
    "orderBookL2_25:XBTUSD",
    "orderBook10:ETHUSD",
    "trade",
    "quote",
    "tradeBin1m",
    "funding",
    "liquidation",
)
PRIVATE = ("order", "execution", "position", "margin", "wallet", "transact")
READS = ("/order", "/execution", "/position", "/user/margin?currency=all", "/user/walletHistory", "/instrument/active")


class Ear:
    """Keeps what a session says."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def put(self, message: Message) -> None:
        self.said.append(message.payload)

    def close(self, code: int | None = 1000) -> None:
        self.said.append(b"closed %d" % (code or 0))

    def backlog(self) -> int:
        return 0

    def give_up(self) -> None:
        raise AssertionError("nobody is slow here")


class Listener(Visitor):
    """A client that trades along a crash, on REST and on the stream, under a clock of its own."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"image_period_ms": 0, "seed": 3, **settings})
        self.told: list[bytes] = []
        self.steps = list(islice(tape_of_scenario("crash", seed=3, speed="fit:30").steps(), 400))
        self.listen()

    def listen(self) -> None:
        """Open a session and subscribe to everything."""
        self.ear = Ear()
        session = Session(self.venue, outlet=self.ear, address="127.0.0.1", key=self.key())
        self.venue.hub.add(session)
        session.open(connections_left=7, topics=[*PUBLIC, *PRIVATE])

    def restart(self, snapshot: Path) -> None:
        """Go on at an exchange that begins with this snapshot."""
        self.venue = Venue(replace(self.venue.settings, snapshot=snapshot), lambda: self.now_ms)
        self.venue.open({})
        self.door = Door(self.venue)

    def live(self, first: int, last: int) -> None:
        """Live through these steps of the tape: prices, now and then an order, now and then a question."""
        for step in self.steps[first:last]:
            self.now_ms += STEP_MS
            self.venue.submit(SetPrices(tape_ms=step.tape_ms, prices=step.prices), step=step.index)
            self._trade(step.index, step.prices[0].last)
            if step.index % 10 == 0:
                self.venue.refresh(self.venue.accounts[0])
            self.told += self.ear.said
            self.ear.said.clear()

    def _trade(self, index: int, last: Decimal) -> None:
        match index % 7:
            case 0:
                self._ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 20_000, "ordType": "Market"})
            case 1:
                price = float(round(last * Decimal("0.99")))
                self._ask(
                    "POST", "/order", {"symbol": "XBTUSD", "orderQty": 300, "price": price, "clOrdID": f"c{index}"}
                )
            case 2:
                stop = float(round(last * Decimal("0.97")))
                fields = {"symbol": "XBTUSD", "side": "Sell", "stopPx": stop, "execInst": "Close,MarkPrice"}
                self._ask("POST", "/order", {**fields, "ordType": "Stop"})
            case 3:
                self._ask("DELETE", "/order", {"clOrdID": f"c{index - 7}"})
            case 4:
                self._ask("POST", "/order/cancelAllAfter", {"timeout": 5_000})
            case _:
                self._ask("GET", READS[index % len(READS)])

    def _ask(self, verb: str, path: str, fields: dict[str, Any] | None = None) -> None:
        status, answer = self.ask(verb, path, fields)
        self.told.append(f"{status} {answer}".encode())


def digest(told: list[bytes]) -> str:
    """Return one number for all that was told."""
    return hashlib.sha256(b"\n".join(told)).hexdigest()


if __name__ == "__main__":
    one = Listener()
    one.live(0, 120)
    sys.stdout.write(f"{len(one.told)} {digest([*one.told, one.venue.save()])}\n")
