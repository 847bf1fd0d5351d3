"""A bot that trades the guarded account without any thought for the guard.

Why: the guard has no say in what happens to the account. Positions open, grow, shrink and turn round; leverage and
margin change; stops of the guard are cancelled. All of it is drawn from a seed.

Units: quantities in contracts, shares of the free balance.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Self

from msgspec.structs import replace

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import ETHUSD, XBTUSD, XBTUSDT, Contract
from connectors.simulated.engine.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrders,
    Deposit,
    Input,
    Isolate,
    PlaceOrder,
    SetLeverage,
    TransferMargin,
)
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.venue import Venue
from tests.simulation.promises import OURS, Promises

CONTRACTS: dict[str, Contract] = {each.symbol: each for each in (XBTUSD, ETHUSD, XBTUSDT)}
BOTS_PREFIX = "mm-"
"""Ids of the bot's orders begin with it."""
LEVERAGES = (0, 2, 3, 5, 10, 20, 33, 50)


class Bot:
    """Acts when told to, on one account."""

    def __init__(self, *, venue: Venue, account: int, random: Random, promises: Promises) -> None:
        self._venue = venue
        self._account = account
        self._random = random
        self._promises = promises
        self.acts = 0
        self.refused = 0
        self._orders = 0
        self.is_dead = False
        """It has stopped in the middle of its work."""

    def drawing(self, random: Random) -> Self:
        """Draw everything from `random` from now on; return itself."""
        self._random = random
        return self

    def act(self, random: Random) -> str:
        """Do one thing, whatever comes to mind; return what it was. Everything is drawn from `random`."""
        if self.is_dead:
            return "nothing: it is dead"
        self.drawing(random)
        symbol = self._random.choice(tuple(CONTRACTS))
        held = self._promises.size((self._account, symbol))
        choices = (self._open, self._work) if not held else self._while_held
        deed: Callable[[str, int], None] = self._random.choice(choices)
        self._promises.disturb()
        self.acts += 1
        deed(symbol, held)
        return f"{deed.__name__.strip('_')} {symbol}"

    @property
    def _while_held(self) -> tuple[Callable[[str, int], None], ...]:
        return (
            self._grow,
            self._grow,
            self._shrink,
            self._close,
            self._flip,
            self._work,
            self._cancel_guards,
            self._cancel_everything,
            self._place_stop,
            self._set_leverage,
            self._set_margin_mode,
            self._move_margin,
            self._requote,
            self._move_money,
        )

    def _try(self, value: Input) -> bool:
        if isinstance(value, PlaceOrder | AmendOrder) and self.is_dead:
            return False
        if isinstance(value, PlaceOrder):
            self._orders += 1
            value = replace(value, cl_ord_id=f"{BOTS_PREFIX}{self._orders}")
        try:
            self._venue.submit(value)
        except Refused:
            self.refused += 1
            return False
        return True

    def _market(self, symbol: str, quantity: int, exec_inst: str = "") -> bool:
        if quantity == 0 and not exec_inst:
            return False
        return self._try(
            PlaceOrder(
                account=self._account,
                symbol=symbol,
                side="Buy" if quantity > 0 else "Sell",
                order_qty=abs(quantity) or None,
                ord_type="Market",
                exec_inst=exec_inst,
            )
        )

    def _lots(self, symbol: str, leverage: int, share: float) -> int:
        """How many contracts a share of the wallet buys at this leverage."""
        contract = CONTRACTS[symbol]
        price = self._venue.exchange._world.markets[symbol].mark
        wallet = next(
            int(str(row["walletBalance"]))
            for row in self._venue.exchange.margin_rows(self._account)
            if row["currency"] == contract.settl_currency
        )
        lots = int(max(0, wallet) * max(1, leverage) * share / contract.lot_value(price))
        return lots * contract.lot_size

    def open(self, symbol: str, *, side: int, leverage: int, share: float = 0.2) -> bool:
        """Open a position: `side` +1 or -1, `leverage` 0 for cross."""
        self._try(SetLeverage(account=self._account, symbol=symbol, leverage=Decimal(leverage)))
        self._promises.disturb()
        return self._market(symbol, side * self._lots(symbol, leverage or 10, share))

    def disturb_account(self) -> None:
        """Do something that the guard has to answer: open a position, or turn one round."""
        symbol = self._random.choice(tuple(CONTRACTS))
        self._promises.disturb()
        if self._held(symbol):
            self._flip(symbol, self._held(symbol))
        else:
            self.open(symbol, side=self._random.choice((1, -1)), leverage=10)

    def grow(self, symbol: str, share: float) -> None:
        """Add a share of what is held."""
        lot = CONTRACTS[symbol].lot_size
        self._market(symbol, int(self._held(symbol) * share) // lot * lot)

    def flip(self, symbol: str) -> None:
        """Turn the position round."""
        self._flip(symbol, self._held(symbol))

    def close(self, symbol: str) -> None:
        """End the position."""
        self._close(symbol, self._held(symbol))

    def quote(self, symbol: str) -> None:
        """Rest a limit order that would add exposure, some way off."""
        self._work(symbol, self._held(symbol))

    def quotes(self) -> list[Row]:
        """Return the bot's resting limit orders."""
        return [
            row
            for row in self._promises.orders.values()
            if row["account"] == self._account
            and row["ordType"] == "Limit"
            and not str(row["clOrdID"]).startswith(OURS)
        ]

    def place_stop(self, symbol: str) -> None:
        """Rest a stop of its own, of either trigger."""
        self._place_stop(symbol, self._held(symbol))

    def cancel_guards(self, symbol: str) -> None:
        """Cancel the guard's orders of a symbol."""
        self._cancel_guards(symbol, self._held(symbol))

    def cancel_own(self, symbol: str) -> None:
        """Cancel its own orders of a symbol."""
        ids = tuple(
            str(row["orderID"])
            for row in self._promises.orders.values()
            if row["symbol"] == symbol and not str(row["clOrdID"]).startswith(OURS)
        )
        if ids:
            self._try(CancelOrders(account=self._account, order_ids=ids))

    def ask(self, value: Input) -> bool:
        """Ask the exchange for something; return whether it was done."""
        return self._try(value)

    def _held(self, symbol: str) -> int:
        return self._promises.size((self._account, symbol))

    def add_margin(self, symbol: str, amount: int) -> None:
        """Move free money, in minor units, into an isolated position: its liquidation price moves away."""
        self._promises.disturb()
        self._venue.submit(TransferMargin(account=self._account, symbol=symbol, amount=amount))

    def _open(self, symbol: str, held: int) -> None:
        side = self._random.choice((1, -1))
        self.open(
            symbol, side=side, leverage=self._random.choice(LEVERAGES), share=self._random.choice((0.05, 0.1, 0.2))
        )

    def _grow(self, symbol: str, held: int) -> None:
        lot = CONTRACTS[symbol].lot_size
        self._market(symbol, int(held * self._random.uniform(0.1, 0.8)) // lot * lot)

    def _shrink(self, symbol: str, held: int) -> None:
        lot = CONTRACTS[symbol].lot_size
        part = int(abs(held) * self._random.uniform(0.1, 0.9)) // lot * lot
        self._market(symbol, -part if held > 0 else part)

    def _close(self, symbol: str, held: int) -> None:
        self._market(symbol, -held)

    def _flip(self, symbol: str, held: int) -> None:
        self._market(symbol, -2 * held)

    def _work(self, symbol: str, held: int) -> None:
        """Rest a limit order that would add exposure, some way off."""
        contract = CONTRACTS[symbol]
        mark = self._venue.exchange._world.markets[symbol].mark
        side = self._random.choice((1, -1))
        price = contract.on_tick(mark * (1 - side * Decimal(self._random.randint(3, 30)) / 1000), up=False)
        self._try(
            PlaceOrder(
                account=self._account,
                symbol=symbol,
                side="Buy" if side > 0 else "Sell",
                order_qty=max(contract.lot_size, self._lots(symbol, 2, 0.02)),
                price=price,
                ord_type="Limit",
            )
        )

    def _cancel_guards(self, symbol: str, held: int) -> None:
        ids = tuple(
            str(row["orderID"])
            for row in self._promises.orders.values()
            if row["symbol"] == symbol and str(row["clOrdID"]).startswith(OURS)
        )
        if ids:
            self._try(CancelOrders(account=self._account, order_ids=ids))

    def _cancel_everything(self, symbol: str, held: int) -> None:
        self._try(CancelAll(account=self._account, symbol=self._random.choice((symbol, None))))

    def _place_stop(self, symbol: str, held: int) -> None:
        """A stop of the bot's own, of either trigger, some way off."""
        contract = CONTRACTS[symbol]
        mark = self._venue.exchange._world.markets[symbol].mark
        away = Decimal(self._random.randint(5, 40)) / 1000
        stop = contract.on_tick(mark * (1 - away if held > 0 else 1 + away), up=False)
        self._try(
            PlaceOrder(
                account=self._account,
                symbol=symbol,
                side="Sell" if held > 0 else "Buy",
                order_qty=abs(held),
                stop_px=stop,
                ord_type="Stop",
                exec_inst=self._random.choice(("LastPrice,ReduceOnly", "MarkPrice,ReduceOnly", "Close,MarkPrice")),
            )
        )

    def _set_leverage(self, symbol: str, held: int) -> None:
        leverage = Decimal(self._random.choice(LEVERAGES))
        self._try(SetLeverage(account=self._account, symbol=symbol, leverage=leverage))

    def _set_margin_mode(self, symbol: str, held: int) -> None:
        self._try(Isolate(account=self._account, symbol=symbol, enabled=self._random.random() < 0.5))

    def _move_margin(self, symbol: str, held: int) -> None:
        amount = self._random.choice((-1, 1)) * self._random.randint(10_000, 2_000_000)
        self._try(TransferMargin(account=self._account, symbol=symbol, amount=amount))

    def _requote(self, symbol: str, held: int) -> None:
        """Move a resting quote of the bot's own nearer."""
        quotes = [
            row
            for row in self._promises.orders.values()
            if row["symbol"] == symbol and row["ordType"] == "Limit" and not str(row["clOrdID"]).startswith(OURS)
        ]
        if not quotes:
            self._work(symbol, held)
            return
        row = self._random.choice(quotes)
        mark = self._venue.exchange._world.markets[symbol].mark
        away = Decimal(self._random.randint(1, 20)) / 1000 * (1 if row["side"] == "Buy" else -1)
        price = CONTRACTS[symbol].on_tick(mark * (1 - away), up=False)
        self._try(AmendOrder(account=self._account, order_id=str(row["orderID"]), price=price))

    def _move_money(self, symbol: str, held: int) -> None:
        """A deposit or a withdrawal."""
        currency = CONTRACTS[symbol].settl_currency
        amount = self._random.choice((-1, 1)) * self._random.randint(10_000, 5_000_000)
        self._try(Deposit(account=self._account, currency=currency, amount=amount))
