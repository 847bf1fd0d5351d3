"""The exchange of a run over history: the embedded one, on virtual time, its news handed straight to whoever listens.

Why: engine, order checks, REST handlers and limits are the exchange's own; left out are its ports, its journal and its
JSON tables, which nobody reads here.

Units: milliseconds of the history played: protocol time and tape time are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.contracts import XBTUSD, Contract
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import OpenAccount, PassTime, SetPrices
from connectors.simulated.engine.ledger import Account
from connectors.simulated.server.settings import ExchangeSettings
from connectors.simulated.server.venue import Venue
from connectors.simulated.tape.tape import Step

SYMBOL = XBTUSD.symbol
CURRENCY = XBTUSD.settl_currency
LOT = XBTUSD.lot_size

Watcher = Callable[[Sequence[Change]], None]


class BacktestVenue(Venue):
    """An embedded exchange with one contract and no ports."""

    def __init__(self, *, seed: int, accounts: int, equity_sat: int, now_ms: Callable[[], int]) -> None:
        """Open the exchange; accounts are opened by `open_accounts`, when somebody watches."""
        super().__init__(ExchangeSettings(seed=seed, accounts=accounts, image_period_ms=0), now_ms)
        self.exchange = Exchange(contracts=(XBTUSD,), switches=self.settings.switches)
        self._equity_sat = equity_sat
        self.watchers: list[Watcher] = []

    @property
    def contract(self) -> Contract:
        """What is traded."""
        return XBTUSD

    def open_accounts(self) -> None:
        """Fund every account alike."""
        for account in self.accounts:
            self.submit(OpenAccount(account=account, balances={CURRENCY: self._equity_sat}))

    def play(self, step: Step) -> None:
        """Move the market to one step of the tape, and let everything happen that follows."""
        at_ms = self.clock()
        self.tape_ms = step.tape_ms
        self.exchange.apply(SetPrices(tape_ms=step.tape_ms, prices=step.prices[:1]), at_ms=at_ms)
        self._publish(at_ms)

    def let_timers_run_out(self) -> None:
        """Let a dead man's switch that is due go off."""
        due_ms = self.exchange.next_timer_ms()
        if due_ms is not None and due_ms <= self.clock():
            self.submit(PassTime())

    def ledger(self, account: int) -> Account:
        """Return an account's own books; to be read only."""
        return self.exchange.world.accounts[account]

    def equity_sat(self, account: int) -> int:
        """Return what the account is worth at the present mark."""
        books = self.ledger(account)
        mark = self.exchange.world.markets[SYMBOL].mark
        return books.wallet_balance(CURRENCY) + sum(p.unrealised_pnl(mark) for p in books.held(CURRENCY))

    def quantity(self, account: int) -> int:
        """Return the account's signed contracts."""
        position = self.ledger(account).positions.get(SYMBOL)
        return 0 if position is None else position.quantity

    def _publish(self, at_ms: int) -> None:  # noqa: ARG002 - the venue's; listeners have the agenda
        changes = self.exchange.take_changes()
        for watch in getattr(self, "watchers", ()):
            watch(changes)
