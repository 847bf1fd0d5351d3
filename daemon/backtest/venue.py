"""The exchange of one account of a run over history: the embedded one, on virtual time, its news handed on at once.

Why: engine, order checks, REST handlers and limits are the exchange's own; left out are its ports, its journal and its
JSON tables, which nobody reads here. Every account of a run has one to itself: the same prices and the same modelled
book, so what becomes of an account never depends on who else is played.

Units: milliseconds of the history played: protocol time and tape time are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.contracts import XBTUSD, Contract
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import OpenAccount, PassTime, SetPrices
from connectors.simulated.server.settings import ExchangeSettings
from connectors.simulated.server.venue import Venue
from connectors.simulated.tape.tape import Step

SYMBOL = XBTUSD.symbol
CURRENCY = XBTUSD.settl_currency
LOT = XBTUSD.lot_size
UNREAD = frozenset({"quote", "trade"})
"""Public tables that nobody reads in a run."""

Watcher = Callable[[Sequence[Change]], None]


class BacktestVenue(Venue):
    """An embedded exchange with one contract, one account and no ports."""

    def __init__(self, *, seed: int, equity_sat: int, has_guard: bool, now_ms: Callable[[], int]) -> None:
        """Open the exchange; the account is opened by `open_account`, when somebody watches.

        Args:
            seed: Of its keys.
            equity_sat: Of the account.
            has_guard: Whether a guard reads the contract's rows.
            now_ms: The clock of the run.
        """
        super().__init__(ExchangeSettings(seed=seed, accounts=1, image_period_ms=0), now_ms)
        self.account = self.accounts[0]
        self.exchange = Exchange(contracts=(XBTUSD,), switches=self.settings.switches)
        self.exchange.leave_out(UNREAD if has_guard else UNREAD | {"instrument"})
        self._equity_sat = equity_sat
        self.watchers: list[Watcher] = []

    @property
    def contract(self) -> Contract:
        """What is traded."""
        return XBTUSD

    def open_account(self) -> None:
        """Fund the account."""
        self.submit(OpenAccount(account=self.account, balances={CURRENCY: self._equity_sat}))

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

    def equity_sat(self) -> int:
        """Return what the account is worth at the present mark."""
        books = self.exchange.world.accounts[self.account]
        mark = self.exchange.world.markets[SYMBOL].mark
        return books.wallet_balance(CURRENCY) + sum(p.unrealised_pnl(mark) for p in books.held(CURRENCY))

    def _publish(self, at_ms: int) -> None:  # noqa: ARG002 - the venue's; listeners have the agenda
        changes = self.exchange.take_changes()
        for watch in getattr(self, "watchers", ()):
            watch(changes)
