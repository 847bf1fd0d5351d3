"""The next state while one step works on it.

Why: a step touches few of the thousand things in a `GuardState`. The draft copies a mapping only when it is first
written to, collects commands in order, and remembers which positions were touched, so that the work of an event is in
proportion to what it changed. It never outlives the step that made it; outside `step` all is frozen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from connectors.vocabulary import Instrument, Margin
from daemon.core.altered import altered
from daemon.core.commands import Command
from daemon.core.memory.under_way import Pending, PendingKind
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.reasons import Reason
from daemon.core.state import Band, Guarded, GuardState, Mark
from daemon.core.volatility import Volatility

ACCOUNT: Final = "*"
"""Key of the account's own deadline among `wakes`."""

_MAPPINGS: Final = (
    "instruments",
    "marks",
    "volatility",
    "margins",
    "wallets",
    "insurance",
    "liquidations",
    "spreads",
    "missing_topics",
    "positions",
    "hedged",
    "orders",
    "adding",
    "finished",
    "numbers",
    "pending",
    "asking",
    "in_vain",
    "unproved",
    "named",
    "cancels",
    "latches",
    "frozen_orders",
    "closings",
    "corrections",
    "margin_budgets",
    "climbed",
    "rules",
    "unjudged",
    "unjudged_ns",
    "day_books",
    "additions",
    "filled",
    "bots",
    "operator_ids",
    "stale_currencies",
    "degraded",
    "wakes",
    "bands",
)
_VALUES: Final = (
    "now_ns",
    "policy",
    "mode",
    "mode_since_ns",
    "unguarded_ns",
    "started_ns",
    "stop_asked_ns",
    "was_whole",
    "orders_known",
    "positions_listed_ns",
    "next_command_id",
    "health",
    "ledger",
    "pictures",
    "switch",
    "renewal",
    "freezing",
    "listening",
    "pause",
    "people",
    "timer_ns",
)


class Draft:
    """A state being changed. Reading is by attribute, as on `GuardState`; mappings are written by the methods only."""

    __slots__ = ("_before", "_owned", "_owned_books", "account", "commands", "touched", *_MAPPINGS, *_VALUES)

    def __init__(self, state: GuardState, at_ns: int) -> None:
        self._before = state
        self._owned: set[str] = set()
        self._owned_books: set[str] = set()
        self.account = state.account
        self.policy = state.policy
        # The clock of the core never runs backwards: an event that overtook another is taken in at the later's time.
        self.now_ns = max(state.now_ns, at_ns)
        self.mode = state.mode
        self.mode_since_ns = state.mode_since_ns
        self.unguarded_ns = state.unguarded_ns
        self.started_ns = state.started_ns
        self.stop_asked_ns = state.stop_asked_ns
        self.was_whole = state.was_whole
        self.orders_known = state.orders_known
        self.positions_listed_ns = state.positions_listed_ns
        self.next_command_id = state.next_command_id
        self.health = state.health
        self.ledger = state.ledger
        self.pictures = state.pictures
        self.switch = state.switch
        self.renewal = state.renewal
        self.timer_ns = state.timer_ns
        self.commands: list[Command] = []
        self.touched: dict[str, bool] = {}
        self._borrow(state)

    def _borrow(self, state: GuardState) -> None:
        """Share the state's mappings until they are written to."""
        self.instruments = state.instruments
        self.marks = state.marks
        self.volatility = state.volatility
        self.margins = state.margins
        self.wallets = state.wallets
        self.insurance = state.insurance
        self.liquidations = state.liquidations
        self.spreads = state.spreads
        self.missing_topics = state.missing_topics
        self.positions = state.positions
        self.hedged = state.hedged
        self.orders = state.orders
        self.adding = state.adding
        self.finished = state.finished
        self.numbers = state.numbers
        self.pending = state.pending
        self.asking = state.asking
        self.in_vain = state.in_vain
        self.unproved = state.unproved
        self.named = state.named
        self.cancels = state.cancels
        self.latches = state.latches
        self.frozen_orders = state.frozen_orders
        self.freezing = state.freezing
        self.closings = state.closings
        self.corrections = state.corrections
        self.margin_budgets = state.margin_budgets
        self.climbed = state.climbed
        self.rules = state.rules
        self.unjudged = state.unjudged
        self.unjudged_ns = state.unjudged_ns
        self.day_books = state.day_books
        self.additions = state.additions
        self.filled = state.filled
        self.bots = state.bots
        self.listening = state.listening
        self.pause = state.pause
        self.people = state.people
        self.operator_ids = state.operator_ids
        self.stale_currencies = state.stale_currencies
        self.degraded = state.degraded
        self.wakes = state.wakes
        self.bands = state.bands

    def finish(self) -> GuardState:
        """Freeze: the state after the step."""
        changes = {name: getattr(self, name) for name in (*_VALUES, *self._owned)}
        return altered(self._before, **changes)

    # ------------------------------------------------------------------ commands

    def emit(self, command: Command) -> None:
        """Hand a command over, after those before it."""
        self.commands.append(command)

    def take_command_id(self) -> int:
        """Count up: the same events give the same ids."""
        command_id = self.next_command_id
        self.next_command_id += 1
        return command_id

    def await_answer(
        self, kind: PendingKind, symbol: str = "", ids: tuple[str, ...] = (), *, order_id: str = ""
    ) -> int:
        """Register a request and return its command id."""
        command_id = self.take_command_id()
        self._own("pending")
        self.pending[command_id] = Pending(kind=kind, symbol=symbol, sent_ns=self.now_ns, ids=ids, order_id=order_id)
        return command_id

    def answered(self, command_id: int) -> Pending | None:
        """Take a request off the list; None for one that is not, or no longer, awaited."""
        if command_id not in self.pending:
            return None
        self._own("pending")
        return self.pending.pop(command_id)

    # ------------------------------------------------------------------ positions

    def touch(self, symbol: str, *, reassess: bool = False) -> None:
        """Have a position reconciled at the end of the step; `reassess`: its liquidation price may have changed."""
        self.touched[symbol] = self.touched.get(symbol, False) or reassess

    def change(self, symbol: str, **changes: Any) -> Guarded:  # noqa: ANN401 - fields of Guarded, whose names are checked
        """Replace fields of a guarded position."""
        guarded = altered(self.positions[symbol], **changes)
        self.put_position(symbol, guarded)
        return guarded

    def put_position(self, symbol: str, guarded: Guarded) -> None:
        """Set a guarded position."""
        self._own("positions")
        self.positions[symbol] = guarded

    def drop_position(self, symbol: str) -> None:
        """Forget a position that is over."""
        self._own("positions")
        del self.positions[symbol]
        self.clear_wake(symbol)

    def set_hedged(self, name: str, quantity: int) -> None:
        """Note a hedge-mode row; zero forgets it."""
        if self.hedged.get(name, 0) == quantity:
            return
        self._own("hedged")
        if quantity:
            self.hedged[name] = quantity
        else:
            del self.hedged[name]

    # ------------------------------------------------------------------ orders

    def put_order(self, known: KnownOrder) -> None:
        """Set an open order."""
        self._book(known.order.symbol)[known.order.order_id] = known

    def drop_order(self, symbol: str, order_id: str) -> None:
        """Forget an order."""
        book = self._book(symbol)
        book.pop(order_id, None)
        if not book:
            del self.orders[symbol]
            self._owned_books.discard(symbol)

    def _book(self, symbol: str) -> dict[str, KnownOrder]:
        self._own("orders")
        if symbol not in self._owned_books:
            self.orders[symbol] = dict(self.orders.get(symbol, {}))
            self._owned_books.add(symbol)
        return self.orders[symbol]

    def set_adding(self, symbol: str, count: int) -> None:
        """Note how many orders of a symbol may add exposure."""
        if self.adding.get(symbol, 0) == count:
            return
        self._own("adding")
        if count:
            self.adding[symbol] = count
        else:
            del self.adding[symbol]

    def note_finished(self, order_id: str, at_ns: int) -> None:
        """Remember that an order ended."""
        self._own("finished")
        self.finished[order_id] = at_ns

    def forget_finished(self, before_ns: int) -> None:
        """Forget orders that ended before a time."""
        if any(at_ns < before_ns for at_ns in self.finished.values()):
            self._owned.add("finished")
            self.finished = {name: at_ns for name, at_ns in self.finished.items() if at_ns >= before_ns}

    def note_number(self, series: str, number: int) -> None:
        """Remember the highest number of a series of ids."""
        if self.numbers.get(series, 0) < number:
            self._own("numbers")
            self.numbers[series] = number

    def note_cancel(self, order_id: str) -> None:
        """Remember that the cancel of somebody's order was asked for, or answered, just now."""
        self._own("cancels")
        self.cancels[order_id] = self.now_ns

    def forget_cancels(self) -> None:
        """Forget which orders of others were to be cancelled: it is over."""
        if self.cancels:
            self._owned.add("cancels")
            self.cancels = {}

    # ------------------------------------------------------------------ the rest

    def put_instrument(self, instrument: Instrument) -> None:
        """Set a contract's figures."""
        self._own("instruments")
        self.instruments[instrument.symbol] = instrument

    def put_mark(self, symbol: str, mark: Mark) -> None:
        """Set a mark price."""
        self._own("marks")
        self.marks[symbol] = mark

    def put_volatility(self, symbol: str, volatility: Volatility) -> None:
        """Set the estimate of a symbol."""
        self._own("volatility")
        self.volatility[symbol] = volatility

    def put_margin(self, margin: Margin) -> None:
        """Set a margin row."""
        self._own("margins")
        self.margins[margin.currency] = margin

    def put(self, mapping: str, name: str, value: object) -> None:
        """Set an entry of a mapping that has no method of its own."""
        self._own(mapping)
        getattr(self, mapping)[name] = value

    def remove(self, mapping: str, name: str) -> None:
        """Forget an entry of such a mapping, if it is there."""
        if name in getattr(self, mapping):
            self._own(mapping)
            del getattr(self, mapping)[name]

    def set_asking(self, symbol: str, value: int | None) -> None:
        """Note the question in flight about a symbol's orders (or, below 0, a pause); None: none is."""
        if value is None:
            if symbol in self.asking:
                self._own("asking")
                del self.asking[symbol]
            return
        self._own("asking")
        self.asking[symbol] = value

    def set_stale(self, currency: str, *, is_stale: bool) -> None:
        """Note whether a currency's common move is out of date."""
        if is_stale == (currency in self.stale_currencies):
            return
        self._own("stale_currencies")
        if is_stale:
            self.stale_currencies[currency] = self.now_ns
        else:
            del self.stale_currencies[currency]

    def set_degraded(self, name: str, *, is_degraded: bool) -> bool:
        """Note an account-wide degraded state; True if that is news."""
        if is_degraded == (name in self.degraded):
            return False
        self._own("degraded")
        if is_degraded:
            self.degraded[name] = self.now_ns
        else:
            del self.degraded[name]
        return True

    def wake(self, name: str, at_ns: int) -> None:
        """Have the core woken for `name` at a time at the latest; an earlier one stands."""
        present = self.wakes.get(name)
        if present is None or at_ns < present:
            self._own("wakes")
            self.wakes[name] = at_ns

    def clear_wake(self, name: str) -> None:
        """Forget a deadline."""
        if name in self.wakes:
            self._own("wakes")
            del self.wakes[name]

    def set_band(self, symbol: str, band: Band | None) -> bool:
        """Note a band; True if it differs from the one handed out before."""
        if self.bands.get(symbol) == band:
            return False
        self._own("bands")
        if band is None:
            del self.bands[symbol]
        else:
            self.bands[symbol] = band
        return True

    def want_picture(self, reason: Reason, since_ns: int | None = None) -> None:
        """Want a picture asked at `since_ns` (now, if not given) or later; taken ones that are new enough count."""
        wanted_ns = self.now_ns if since_ns is None else since_ns
        if self.pictures.taken_ns >= wanted_ns or self.pictures.wanted_ns >= wanted_ns:
            return
        self.pictures = replace(self.pictures, wanted_ns=wanted_ns, reason=reason.value)

    def _own(self, name: str) -> None:
        """Copy a mapping before the first write to it."""
        if name not in self._owned:
            setattr(self, name, dict(getattr(self, name)))
            self._owned.add(name)
