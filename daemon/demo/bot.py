"""The demo's bot: it opens leveraged positions, which nothing else in this project can do.

Why here: the order-entry port has no word for adding exposure, on purpose. The bot is a few signed requests in BitMEX's
own terms, against an address it is given; the demo gives it the embedded exchange only.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

import httpx
import msgspec

from config.credentials import Credentials
from connectors.bitmex.protocol.parse import parse_instrument
from connectors.bitmex.protocol.signing import signed_headers
from connectors.vocabulary import Instrument, Side
from daemon.demo.plan import QUOTING_SYMBOL, PlannedPosition, far_quote_price
from daemon.shell.clock import Clock

Row = dict[str, object]
API = "/api/v1"
ORDER_PREFIX = "bot-"
"""Client order ids of the bot begin so: what does not is somebody else's."""
EXPIRES_AFTER_S = 10
NS_PER_S = 1_000_000_000

_DECODER: Final = msgspec.json.Decoder(list[dict[str, object]] | dict[str, object], float_hook=Decimal)
"""Figures exactly as sent, as the parser of rows wants them."""


class BotRefused(Exception):
    """The exchange answered a request of the bot with an error; the text is the exchange's own."""


class Bot:
    """One account's trader.

    Args:
        name: For messages.
        account: The account's number.
        credentials: Its key, with the right to order.
        http: A client whose base address is the exchange.
        clock: For the expiry of signatures.
        run: Part of every client order id: the same run never orders the same thing twice, another one may.
    """

    def __init__(
        self,
        name: str,
        account: int,
        credentials: Credentials,
        *,
        http: httpx.AsyncClient,
        clock: Clock,
        run: str = "demo",
    ) -> None:
        self.name = name
        self.account = account
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self._run = run

    async def open_position(self, position: PlannedPosition, quantity: int) -> None:
        """Set the margin mode and leverage, then take the position at the market."""
        side = "Buy" if position.side is Side.LONG else "Sell"
        leverage = {"symbol": position.symbol, "leverage": float(position.leverage)}
        await self._send("POST", "/position/leverage", leverage)
        order = {"symbol": position.symbol, "side": side, "orderQty": quantity, "ordType": "Market"}
        await self._once("open", order)

    async def quote_far_away(self, instrument: Instrument, mark_price: Decimal) -> None:
        """Leave one limit order resting that may add exposure, as any quoting bot does."""
        price = float(far_quote_price(instrument, mark_price))
        order = {"symbol": QUOTING_SYMBOL, "side": "Sell", "orderQty": instrument.lot_size, "price": price}
        await self._once("quote", order)

    async def instruments(self) -> list[Instrument]:
        """The contracts that are open for trading."""
        parsed = [parse_instrument(row) for row in await self._rows("/instrument/active")]
        return [instrument for instrument in parsed if instrument is not None]

    async def close_position(self, symbol: str) -> None:
        """Close whatever is held, at the market; nothing happens when flat."""
        for row in await self.positions():
            if row["symbol"] == symbol and row.get("currentQty"):
                side = "Sell" if int(str(row["currentQty"])) > 0 else "Buy"
                close = {"symbol": symbol, "side": side, "ordType": "Market", "execInst": "Close"}
                await self._send("POST", "/order", close)

    async def cancel_all(self, symbol: str) -> None:
        """Cancel every order of the account in this symbol."""
        await self._send("DELETE", "/order/all", {"symbol": symbol})

    async def positions(self) -> list[Row]:
        """The account's position rows."""
        return await self._rows("/position")

    async def margins(self) -> list[Row]:
        """One margin row per currency."""
        return await self._rows("/user/margin", currency="all")

    async def _once(self, purpose: str, order: Mapping[str, object]) -> None:
        """Send an order once, however often this is called: the id says what it is for, and a repeat is refused."""
        try:
            name = f"{ORDER_PREFIX}{self._run}-{purpose}-{order['symbol']}"
            await self._send("POST", "/order", {**order, "clOrdID": name})
        except BotRefused as refusal:
            if "Duplicate clOrdID" not in str(refusal):
                raise

    async def _rows(self, path: str, **query: str) -> list[Row]:
        answer = await self._send("GET", f"{path}?{urlencode(query)}" if query else path)
        return answer if isinstance(answer, list) else [answer]

    async def _send(self, verb: str, path: str, body: Mapping[str, object] | None = None) -> list[Row] | Row:
        target = API + path
        content = msgspec.json.encode(body) if body is not None else b""
        headers = signed_headers(
            self._credentials,
            verb=verb,
            path=target,
            expires_s=self._clock.now_ns() // NS_PER_S + EXPIRES_AFTER_S,
            body=content,
        )
        if content:
            headers["content-type"] = "application/json"
        reply = await self._http.request(verb, target, content=content, headers=headers)
        if reply.is_error:
            raise BotRefused(f"{self.name}: {verb} {path.partition('?')[0]} was refused: {_error_text(reply.content)}")
        answer: list[Row] | Row = _DECODER.decode(reply.content)
        return answer


def _error_text(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body[:200].decode(errors="replace")
