"""One guard of a run: the real core, and a shell around it that lives in virtual time.

Why: `step` decides here exactly as in the daemon, whose inbox, bands and calls are used as they are. Who waits differs:
requests, answers and news are under way for the latency of the run and arrive by the agenda.

The daemon looks at its health and its account rules once a second. Here a guard that has something under way does so
too; a quiet one as its `Cadence` says: between two prices of the tape nothing else can change.

Units: nanoseconds of the history played.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from config.policy import Policy
from connectors.ports import Feed, OrderEntry, SwitchReceipt
from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.vocabulary import Quote
from daemon.backtest.agenda import Agenda
from daemon.backtest.cadence import Cadence
from daemon.backtest.latency import Latency
from daemon.backtest.line import run_now
from daemon.backtest.news import NewsReader, exact_mark
from daemon.backtest.witness import Witness
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import (
    ClearBand,
    Command,
    DisarmSwitch,
    Exit,
    FeedSwitch,
    Notify,
    RaiseAlert,
    ReduceAtMarket,
    RenewAccountStream,
    SetBand,
    SetTimer,
    VenueCommand,
)
from daemon.core.events import (
    Event,
    ExecutionSeen,
    HealthTicked,
    OperatorAsked,
    OrderSeen,
    OrdersFound,
    PictureRead,
    RequestAnswered,
    RequestNotSent,
    RequestRefused,
    SpreadSeen,
    Started,
    SwitchAnswered,
    TimerFired,
)
from daemon.core.operator_requests import LiftLatch
from daemon.core.state import GuardState, initial_state
from daemon.core.step import step
from daemon.shell.bands import Bands
from daemon.shell.calls import Calls
from daemon.shell.inbox import Inbox

NS_PER_S: Final = 1_000_000_000
TICK_NS: Final = NS_PER_S
BUSY_NS: Final = 5 * NS_PER_S
"""How long after the last news other than prices a guard still ticks once a second."""
SPREAD_NS: Final = 40 * NS_PER_S
"""A spread is sampled this often while a position is open, and when it has doubled;"""
CALM_SPREAD_NS: Final = 600 * NS_PER_S
"""one that is the same as before, this often."""
_STIRRING: Final = (OrderSeen, ExecutionSeen, RequestAnswered, RequestRefused, RequestNotSent, OrdersFound)
"""News after which deadlines of seconds may run."""


class GuardRun:
    """The guard of one account.

    Attributes:
        state: All that it knows.
        decisions: How often `step` was called.
        held_back: Commands that the choke point before the wire refused (P1).
    """

    def __init__(
        self,
        account: int,
        policy: Policy,
        *,
        agenda: Agenda,
        orders: OrderEntry,
        latency: Latency,
        witness: Witness,
        cadence: Cadence,
        lift_after_ns: int = 0,
    ) -> None:
        self.state: GuardState = initial_state(account, cadence.slowed(policy))
        self.decisions = 0
        self.held_back = 0
        self._agenda = agenda
        self._latency = latency
        self._witness = witness
        self._cadence = cadence
        self._lift_after_ns = lift_after_ns
        self._inbox = Inbox(clock=agenda, take=self.take, bands=Bands(refresh_after_ns=cadence.mark_ns))
        self._inbox.read_marks_with(exact_mark)
        self._reader = NewsReader(self._inbox)
        self._calls = Calls(orders=orders, drop_copy=_SwitchLine(orders), clock=agenda)
        self._outbox: deque[Command] = deque()
        self._is_draining = False
        self._timer_ns = 0
        self._heard_ns = 0
        self._switch_free_ns = 0
        self._under_way = 0
        self._busy_until_ns = 0
        self._tick_due_ns = 0
        self._ticked_ns = 0
        self._ticked_mark = 0.0
        self._sampled_ns = 0
        self._sampled = Decimal(0)

    # ------------------------------------------------------------ life

    def start(self, first: Sequence[Change]) -> None:
        """Begin as a process does: both streams come up, and the account holds nothing yet.

        Args:
            first: The partials: rows as the exchange shows them now.
        """
        now_ns = self._agenda.now_ns()
        self.take(Started(at_ns=now_ns, account=self.state.account))
        self._inbox.orders_snapshot((), received_ns=now_ns)
        self._inbox.positions_snapshot((), received_ns=now_ns)
        for change in first:
            self._reader.read(change, now_ns)
        self._inbox.feed_live(Feed.ACCOUNT, received_ns=now_ns)
        self._inbox.feed_live(Feed.MARKET, received_ns=now_ns)
        self.tick()

    def take(self, event: Event) -> None:
        """Decide on one event and carry out what was decided.

        Raises:
            InvariantBroken: If the core contradicts itself.
        """
        outcome = step(self.state, event)
        self.state = outcome.state
        self.decisions += 1
        if isinstance(event, _STIRRING):
            self._stay_busy()
        self._outbox.extend(outcome.commands)
        self._drain()
        self._witness.saw_state(self.state)

    def _drain(self) -> None:
        if self._is_draining:
            return
        self._is_draining = True
        while self._outbox:
            self._hand_over(self._outbox.popleft())
        self._is_draining = False

    def _hand_over(self, command: Command) -> None:
        match command:
            case SetTimer(at_ns=at_ns):
                self._timer_ns = at_ns
                self._agenda.at(at_ns, lambda: self._wake(at_ns))
            case SetBand():
                self._inbox.set_band(command)
            case ClearBand(symbol=symbol):
                self._inbox.clear_band(symbol)
            case RaiseAlert():
                self._witness.saw_alert(command, self._agenda.now_ns())
            case Exit() | RenewAccountStream() | Notify():
                pass  # nothing is ever lost on the way here, and nobody is called
            case _:
                self._send(command)

    def _wake(self, at_ns: int) -> None:
        if at_ns == self._timer_ns:
            self._timer_ns = 0
            self.take(TimerFired(at_ns=self._agenda.now_ns()))

    # ------------------------------------------------------------ health

    def look(self, prices: SymbolPrices) -> None:
        """Note a price of the tape; tick if enough has changed since the last tick."""
        mark = float(prices.mark)
        self._sample_spread(prices)
        self._lift_latches()
        moved = abs(mark - self._ticked_mark) > self._cadence.quiet_move * mark
        if moved or self._agenda.now_ns() >= self._ticked_ns + self._cadence.quiet_ns:
            self._ticked_mark = mark
            self.tick()

    def _lift_latches(self) -> None:
        """Play the person who has had a look and lifts what holds."""
        now_ns = self._agenda.now_ns()
        if not self._lift_after_ns or not self.state.latches:
            return
        for name, latch in list(self.state.latches.items()):
            if now_ns >= latch.since_ns + self._lift_after_ns:
                lift = LiftLatch(name=name)
                self.take(OperatorAsked(at_ns=now_ns, request_id=f"{name}-{now_ns}", who="backtest", request=lift))

    def _sample_spread(self, prices: SymbolPrices) -> None:
        guarded = self.state.positions.get(prices.symbol)
        if guarded is None or not guarded.position.quantity:
            return
        now_ns, half = self._agenda.now_ns(), prices.half_spread
        wait_ns = CALM_SPREAD_NS if half == self._sampled else SPREAD_NS
        if now_ns < self._sampled_ns + wait_ns and half <= 2 * self._sampled:
            return
        self._sampled_ns, self._sampled = now_ns, half
        has_book = not prices.halted
        bid, ask = (prices.last - half, prices.last + half) if has_book else (None, None)
        self.take(SpreadSeen(at_ns=now_ns, quote=Quote(symbol=prices.symbol, bid=bid, ask=ask)))

    def tick(self) -> None:
        """Report the health of a process that is well, and judge the account rules."""
        self._ticked_ns = self._agenda.now_ns()
        tick = HealthTicked(
            at_ns=self._ticked_ns, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0, journal_ok=True
        )
        self.take(tick)

    def _stay_busy(self) -> None:
        self._busy_until_ns = self._agenda.now_ns() + BUSY_NS
        if not self._tick_due_ns:
            self._plan_tick()

    def _plan_tick(self) -> None:
        self._tick_due_ns = self._agenda.now_ns() + TICK_NS
        self._agenda.at(self._tick_due_ns, self._tick_while_busy)

    def _tick_while_busy(self) -> None:
        self._tick_due_ns = 0
        self.tick()
        never_quiet = self._cadence.quiet_ns <= TICK_NS
        if never_quiet or self._agenda.now_ns() < self._busy_until_ns or self._under_way:
            self._plan_tick()

    # ------------------------------------------------------------ news

    def hear(self, changes: Sequence[Change]) -> None:
        """Receive what was published, as late as the line is long and in the order in which it was."""
        self._heard_ns = max(self._heard_ns, self._agenda.now_ns() + self._latency.draw_ns())
        self._agenda.at(self._heard_ns, lambda: self._read(changes))

    def _read(self, changes: Sequence[Change]) -> None:
        now_ns = self._agenda.now_ns()
        self._inbox.feed_alive(Feed.MARKET, received_ns=now_ns)
        self._inbox.feed_alive(Feed.ACCOUNT, received_ns=now_ns)
        for change in changes:
            self._reader.read(change, now_ns)

    # ------------------------------------------------------------ requests

    def _send(self, command: VenueCommand) -> None:
        """Let a request leave, past the choke point of P1; those of the switch wait for each other."""
        now_ns = self._agenda.now_ns()
        danger = refusal(command, self.state)
        if danger is not None:
            self.held_back += 1
            refused = RequestRefused(at_ns=now_ns, command_id=command.command_id, reason=danger, is_own=True)
            self._agenda.at(now_ns, lambda: self.take(refused))
            return
        self._under_way += 1
        if isinstance(command, ReduceAtMarket):
            self._witness.saw_reduction(command, self.state)
        there_ns, back_ns = self._latency.draw_ns(), self._latency.draw_ns()
        if isinstance(command, FeedSwitch | DisarmSwitch):
            now_ns = max(now_ns, self._switch_free_ns)
            self._switch_free_ns = now_ns + there_ns + back_ns
        self._agenda.at(now_ns + there_ns, lambda: self._arrive(command, now_ns, back_ns))

    def _arrive(self, command: VenueCommand, sent_ns: int, back_ns: int) -> None:
        outcome = run_now(self._calls.attempt(command))
        self._agenda.at(self._agenda.now_ns() + back_ns, lambda: self._answered(outcome, sent_ns))

    def _answered(self, outcome: Event, sent_ns: int) -> None:
        self._under_way -= 1
        at_ns = self._agenda.now_ns()
        match outcome:
            case PictureRead():
                self.take(replace(outcome, at_ns=at_ns, asked_ns=sent_ns))
            case SwitchAnswered():
                self.take(replace(outcome, at_ns=at_ns, sent_ns=sent_ns))
            case _:
                self.take(replace(outcome, at_ns=at_ns))


class _SwitchLine:
    """The dead man's switch by a request: on the stream it would say the same and cost no budget."""

    def __init__(self, orders: OrderEntry) -> None:
        self._orders = orders

    async def run(self) -> None:
        """No stream is to be kept up."""

    def renew(self, reason: str) -> None:
        """None is to be opened anew either."""

    async def cancel_all_after(self, timeout_ms: int) -> SwitchReceipt:
        """Feed the switch; 0 disarms."""
        return await self._orders.cancel_all_after(timeout_ms)
