"""One request that has passed the door, as its handler sees it.

Why: a handler is a plain function from a call to an answer; it meets neither HTTP nor JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.simulated.engine.changes import Reply, Row
from connectors.simulated.engine.inputs import Input
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.params import Params
from connectors.simulated.server.selection import select
from connectors.simulated.server.symbols import resolve
from connectors.simulated.server.tables import Table
from connectors.simulated.server.venue import Venue

Answer = object  # anything JSON: a row, a list of rows, or a document


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request.

    Attributes:
        venue: The exchange.
        key: Who signed it; None on public routes without a signature.
        params: Its fields.
    """

    venue: Venue
    key: ApiKey | None
    params: Params

    @property
    def account(self) -> int:
        """The account of the key; only on routes that need one.

        Raises:
            Refused: If another account is named as the target: none is paired with another one here.
        """
        if self.key is None:
            raise RuntimeError("a route that reads an account was declared public")
        own = str(self.key.account)
        named = (self.params.text("targetAccountId") or own, *self.params.names("targetAccountIds"))
        if any(one not in (own, "*") for one in named):
            raise Refused("Invalid account")
        return self.key.account

    def submit(self, value: Input) -> Reply:
        """Change the exchange.

        Raises:
            Refused: If the venue says no.
        """
        return self.venue.submit(value)

    def symbol(self) -> str | None:
        """Return the instrument asked for, None for all."""
        text = self.params.text("symbol")
        return None if text is None else self._resolved(text)

    def required_symbol(self) -> str:
        """Return the instrument that has to be named.

        Raises:
            Refused: 400 if it was not.
        """
        return self._resolved(self.params.required_text("symbol"))

    def _resolved(self, text: str) -> str:
        exchange, wanted = self.venue.exchange, text.upper()
        return wanted if exchange.has_symbol(wanted) else resolve(text, exchange.instrument_rows())

    def selected(self, rows: list[Row], table: Table) -> list[Row]:
        """Return what the common query (with `symbol`) leaves of the rows."""
        symbol = self.symbol()
        of_symbol = rows if symbol is None else [row for row in rows if row.get("symbol") == symbol]
        return select(of_symbol, self.params.selection(table), table)
