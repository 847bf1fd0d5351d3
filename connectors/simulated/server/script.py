"""What a scenario does besides prices: each thing at its moment of the tape, once.

Why: the engine remembers the number of the last thing done, so after a kill the rest follows and nothing
comes twice. What the exchange refuses (an order without margin, say) is logged and passed over, as it would
be to whoever sent it.

Units: milliseconds of tape time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import structlog
from msgspec.structs import replace

from connectors.simulated.engine.inputs import PassTime, RestrictMarket, Scripted, SettleContract
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.symbols import is_index
from connectors.simulated.server.venue import Venue
from connectors.simulated.tape.scenario_script import Expectation, Timed

EVERY = "*"  # in place of a symbol
_OPEN = {"New", "PartiallyFilled"}
_log = structlog.get_logger()


class Script:
    """The rest of a scenario.

    Attributes:
        unmet: Expectations that were not met, in words.
        refused: What the exchange refused, in words.
    """

    def __init__(self, venue: Venue, entries: Sequence[Timed]) -> None:
        self._venue = venue
        self._entries = entries
        self._met = 0
        self.unmet: list[str] = []
        self.refused: list[str] = []

    def catch_up(self) -> None:
        """Do everything that is due at the tape's present moment and not done."""
        now_ms = self._venue.tape_ms
        for entry in self._entries[self._venue.exchange.script_position() :]:
            if now_ms is None or entry.at_ms > now_ms:
                return
            self._do(entry)

    def miss(self, symbols: Iterable[str]) -> None:
        """Say which contracts have a way of their own in the scenario and are not listed."""
        for symbol in symbols:
            if symbol not in self._venue.exchange.world.markets:
                self.refused.append(f"path: {symbol} is not listed")
                _log.warning("scenario was refused", what="path", why=f"{symbol} is not listed")

    def state(self) -> dict[str, object]:
        """Return how far it is, for the control API."""
        return {
            "done": self._venue.exchange.script_position(),
            "of": len(self._entries),
            "refused": self.refused,
            "expectations": {"met": self._met, "unmet": self.unmet},
        }

    def _do(self, entry: Timed) -> None:
        value = entry.input
        if isinstance(value, SettleContract | RestrictMarket) and value.symbol == EVERY:
            self._decree(value)
            value = PassTime()
        try:
            self._venue.submit(Scripted(number=entry.number, input=value))
        except Refused as refusal:
            self.refused.append(f"{type(entry.input).__name__}: {refusal.message}")
            _log.warning("scenario was refused", what=type(entry.input).__name__, why=refusal.message)
        if entry.expectation is not None:
            self._look(entry.expectation)

    def _decree(self, value: SettleContract | RestrictMarket) -> None:
        """Do it to every contract; one that has ended, or never had a price, is passed over, as after a kill."""
        for row in self._venue.exchange.instrument_rows():
            symbol = str(row["symbol"])
            if row["state"] == "Open" and not is_index(symbol):
                with suppress(Refused):
                    self._venue.submit(replace(value, symbol=symbol))

    def _look(self, wanted: Expectation) -> None:
        exchange = self._venue.exchange
        held = {row["symbol"]: row["currentQty"] for row in exchange.position_rows(wanted.account)}
        is_open = [row for row in exchange.order_rows(wanted.account) if row["ordStatus"] in _OPEN]
        found = {
            "quantity": held.get(wanted.symbol, 0),
            "open_orders": sum(row["symbol"] == wanted.symbol for row in is_open),
        }
        wrong = [
            f"account {wanted.account} {wanted.symbol}: {name} is {found[name]}, not {value}"
            for name, value in (("quantity", wanted.quantity), ("open_orders", wanted.open_orders))
            if value is not None and found[name] != value
        ]
        self.unmet += wrong
        self._met += not wrong
        for one in wrong:
            _log.warning("scenario expected something else", what=one)
