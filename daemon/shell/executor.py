"""Carries what the core decided: to the venue through the choke point (P1), to timer, bands and alerts directly.

Order of things:
- Whatever changes something is checked against the newest state right before it leaves; what the check refuses stays.
- Orders leave at once, in the order in which they were decided. The core keeps one open write per position and purpose,
  so a later one exists only because the earlier is settled, by its answer or by the order stream: one that waited for
  an HTTP answer that never comes would come too late.
- Commands for the dead man's switch wait for each other: a late feed must not arm what was just disarmed.
- Reads have slots of their own, so a protective request never waits behind one.

The journal's health does not gate anything here: every command the core can make lowers risk or tells people.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, assert_never

import structlog

from daemon.core.choke_point.danger import refusal
from daemon.core.commands import (
    AddMargin,
    AmendStop,
    CancelOrder,
    CancelOrders,
    ClearBand,
    Command,
    DisarmSwitch,
    Exit,
    FeedSwitch,
    FindOrders,
    IsolatePosition,
    Notify,
    OrderCommand,
    PlaceStop,
    PlaceTakeProfit,
    PositionCommand,
    RaiseAlert,
    ReadPicture,
    ReduceAtMarket,
    RenewAccountStream,
    SetBand,
    SetLeverage,
    SetTimer,
    VenueCommand,
)
from daemon.core.events import Event, RequestMisconfigured, RequestNotSent, RequestRefused, RequestUnanswered
from daemon.core.state import GuardState
from daemon.shell.calls import Calls
from daemon.shell.clock import Clock
from daemon.shell.metrics.meter import Meter
from daemon.shell.outbox import Outbox

MOST_WRITES = 16
MOST_READS = 4
WAIT_AT_MOST_NS = 5 * 10**9
"""A change that has not had its turn by then is given back."""

log = structlog.get_logger("executor")

Spawn = Callable[[Coroutine[Any, Any, None], str], object]
"""Starts a named task in the one TaskGroup."""


class Core(Protocol):
    """What the executor needs of the runner."""

    @property
    def state(self) -> GuardState:
        """The newest state."""

    def take(self, event: Event) -> None:
        """Take an event in."""


class Signals(Protocol):
    """Where commands go that the venue never sees."""

    def set_timer(self, at_ns: int) -> None:
        """Wake the core then."""

    def set_band(self, command: SetBand) -> None:
        """Put a price band in force."""

    def clear_band(self, symbol: str) -> None:
        """Drop a price band."""

    def renew_account_stream(self) -> None:
        """Open the account stream anew."""

    def raise_alert(self, alert: RaiseAlert) -> None:
        """Say a fact in the log."""

    def notify(self, notice: Notify) -> None:
        """Tell people."""


class Executor:
    """Takes commands from the outbox and sees each to its end."""

    def __init__(
        self,
        *,
        core: Core,
        calls: Calls,
        signals: Signals,
        outbox: Outbox,
        clock: Clock,
        spawn: Spawn,
        meter: Meter | None = None,
    ) -> None:
        self._core = core
        self._calls = calls
        self._signals = signals
        self._outbox = outbox
        self._clock = clock
        self._spawn = spawn
        self._meter = meter or Meter()
        self._switch_queue: deque[VenueCommand] = deque()
        self._is_draining = False
        self._write_slots = asyncio.Semaphore(MOST_WRITES)
        self._read_slots = asyncio.Semaphore(MOST_READS)
        self.exit_asked = asyncio.Event()
        self.refused_before_wire = 0
        self.carried = 0

    async def run(self) -> None:
        """Carry commands until cancelled."""
        while True:
            self._hand_over(await self._outbox.wait_next())

    def _hand_over(self, command: Command) -> None:
        match command:
            case PlaceStop() | AmendStop() | CancelOrder() | ReduceAtMarket() | PlaceTakeProfit() | CancelOrders():
                self._spawn_write(command)
            case AddMargin() | SetLeverage() | IsolatePosition():
                self._spawn_write(command)
            case FeedSwitch() | DisarmSwitch():
                self._queue_switch(command)
            case FindOrders() | ReadPicture():
                self._spawn(self._read(command), f"{type(command).__name__} {command.command_id}")
            case SetTimer(at_ns=at_ns):
                self._signals.set_timer(at_ns)
            case SetBand():
                self._signals.set_band(command)
            case ClearBand(symbol=symbol):
                self._signals.clear_band(symbol)
            case RaiseAlert() | Notify():
                self._say(command)
            case RenewAccountStream() | Exit():
                self._end(command)
            case _:
                assert_never(command)

    def _say(self, command: RaiseAlert | Notify) -> None:
        if isinstance(command, Notify):
            self._signals.notify(command)
        else:
            self._signals.raise_alert(command)

    def _spawn_write(self, command: VenueCommand) -> None:
        due_ns = self._clock.now_ns() + WAIT_AT_MOST_NS
        self._spawn(self._write(command, due_ns), f"{type(command).__name__} {command.command_id}")

    def _end(self, command: RenewAccountStream | Exit) -> None:
        """End what runs: one stream, to begin it anew, or the process."""
        if isinstance(command, Exit):
            self.exit_asked.set()
        else:
            self._signals.renew_account_stream()

    def _queue_switch(self, command: VenueCommand) -> None:
        self._switch_queue.append(command)
        if not self._is_draining:
            self._is_draining = True
            self._spawn(self._drain_switch(), "switch")

    async def _drain_switch(self) -> None:
        """Carry what waits for the switch, one at a time."""
        while self._switch_queue:
            await self._write(self._switch_queue.popleft(), None)
        self._is_draining = False

    async def _write(self, command: VenueCommand, due_ns: int | None) -> None:
        async with self._write_slots:
            outcome = (
                self._come_too_late(command, due_ns) or self._stopped_before_wire(command) or await self._carry(command)
            )
        self._settle(command, outcome)

    def _come_too_late(self, command: VenueCommand, due_ns: int | None) -> Event | None:
        """Give a command back that waited too long for its turn: what it was decided on is old.

        The core counts on it as well: what it gave up as unanswered was signed before that (`outcomes.py`).
        """
        if due_ns is None or self._clock.now_ns() < due_ns:
            return None
        reason = "it waited too long for its turn; nothing was sent"
        return RequestNotSent(
            at_ns=self._clock.now_ns(), command_id=command.command_id, reason=reason, retry_after_ns=0
        )

    async def _read(self, command: VenueCommand) -> None:
        async with self._read_slots:
            outcome = await self._carry(command)
        self._settle(command, outcome)

    def _settle(self, command: VenueCommand, outcome: Event) -> None:
        """Tell the core what became of a command, then those who count."""
        self._core.take(outcome)
        self._meter.ended(command, outcome)

    async def _carry(self, command: VenueCommand) -> Event:
        is_change = isinstance(command, OrderCommand | CancelOrders | PositionCommand)
        say = log.info if is_change else log.debug
        name, command_id = type(command).__name__, command.command_id
        say("sent", command=name, **_facts(command), reason=command.reason.value, command_id=command_id)
        self._meter.sent(command, self._clock.now_ns())
        outcome = await self._calls.carry(command)
        say("answered", command=name, outcome=type(outcome).__name__, **_why(outcome), command_id=command_id)
        self.carried += 1
        return outcome

    def _stopped_before_wire(self, command: VenueCommand) -> Event | None:
        """The choke point of P1: all that changes something passes here, right before it leaves."""
        danger = refusal(command, self._core.state)
        if danger is None:
            return None
        self.refused_before_wire += 1
        log.error("command stopped before the wire", command=type(command).__name__, danger=danger)
        return RequestRefused(at_ns=self._clock.now_ns(), command_id=command.command_id, reason=danger, is_own=True)


def _facts(command: VenueCommand) -> dict[str, object]:
    """Return what an operator wants to see of an order: where, which way, how much, at what price."""
    match command:
        case PlaceStop() | AmendStop():
            side, quantity, price = command.side.value, command.quantity, command.stop_price
            facts = {"side": side, "quantity": quantity, "stop_price": None if price is None else str(price)}
        case PlaceTakeProfit():
            facts = {"side": command.side.value, "quantity": command.quantity, "price": str(command.price)}
        case ReduceAtMarket():
            facts = {"side": command.side.value, "quantity": command.quantity}
        case CancelOrder():
            facts = {}
        case CancelOrders():
            return {"orders": len(command.orders)}
        case AddMargin():
            return {"symbol": command.key.symbol, "amount_sat": command.amount_sat}
        case SetLeverage():
            return {"symbol": command.key.symbol, "leverage": str(command.leverage)}
        case IsolatePosition():
            return {"symbol": command.key.symbol}
        case _:
            return {}
    return {"symbol": command.key.symbol, **facts, "order": command.client_order_id}


def _why(outcome: Event) -> dict[str, str]:
    """Return why a request was not simply answered."""
    match outcome:
        case RequestRefused(reason=reason) | RequestNotSent(reason=reason):
            return {"why": reason}
        case RequestUnanswered(reason=reason) | RequestMisconfigured(reason=reason):
            return {"why": reason}
        case _:
            return {}
