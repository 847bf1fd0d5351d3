"""One run: exchanges, guards and bot on one agenda, from the first price of the history to the last.

Order of things, at each step of the tape: everything that was due before (messages, timers, ticks), then the exchanges
take the prices, then guards and bot look at them. What an exchange publishes leaves for its guard at once and arrives
when it arrives.

Every account has an exchange to itself, guarded or not, and every guard the same luck with its messages: kinds of
position played together end as each of them would alone.

Units: milliseconds and nanoseconds of the history played.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from config.credentials import Credentials, Secret
from config.venue import Environment, VenueSettings
from connectors.bitmex.order_entry import BitmexOrderEntry
from connectors.simulated.engine.changes import Change
from connectors.simulated.server.rest.door import Door
from connectors.simulated.tape.market import MARK_SOURCE
from connectors.simulated.tape.noise import derive
from connectors.simulated.tape.tape import Step
from daemon.backtest.agenda import Agenda
from daemon.backtest.guard import GuardRun
from daemon.backtest.history import History
from daemon.backtest.latency import Latency
from daemon.backtest.line import DoorLine
from daemon.backtest.plan import Plan
from daemon.backtest.prices import PriceLog
from daemon.backtest.record import LaneRecord, RunRecord, Told
from daemon.backtest.trader import LaneTrader, Seat
from daemon.backtest.venue import SYMBOL, BacktestVenue
from daemon.backtest.witness import AccountBook, Witness

NS_PER_MS: Final = 1_000_000
_HEARD: Final = frozenset({"instrument", "liquidation", "insurance"})
"""Public tables that a guard listens to."""
_PLACE: Final = VenueSettings(
    environment=Environment.EMBEDDED, rest_url="http://in-process", realtime_url="ws://in-process/realtime"
)

Progress = Callable[[int], None]
"""Told the time of the tape now and then."""


class _Pair:
    """A lane's two accounts, each on its own exchange, the guard of one of them, and the bot."""

    def __init__(self, number: int, plan: Plan, agenda: Agenda) -> None:
        self._agenda = agenda
        self._cadence = plan.cadence
        self._refreshed_ms = 0
        self._refreshed_mark = 0.0
        self.witness = Witness(number)
        guarded, unguarded = (_seat(plan, agenda, witness) for witness in (self.witness, None))
        venue = guarded.venue
        key = venue.keyring.of_account(venue.account)[0]
        credentials = Credentials(key_id=key.key_id, secret=Secret(key.secret))
        self.line = DoorLine(Door(venue), credentials, address=f"guard {number}", now_ns=agenda.wall_ns)
        orders = BitmexOrderEntry(settings=_PLACE, credentials=credentials, now_ns=agenda.wall_ns, line=self.line)
        self.guard = GuardRun(
            venue.account,
            plan.policy,
            agenda=agenda,
            orders=orders,
            latency=Latency(plan.latency_ms, derive(plan.seed, 7)),
            witness=self.witness,
            cadence=plan.cadence,
            lift_after_ns=plan.lift_after_ms * NS_PER_MS,
        )
        start_ms = agenda.now_ms()
        lane = plan.lanes[number]
        self.trader = LaneTrader(
            number=number,
            lane=lane,
            plan=plan,
            witness=self.witness,
            guarded=guarded,
            unguarded=unguarded,
            due_ms=start_ms + plan.warm_up_ms if lane.at_ms is None else lane.at_ms,
        )
        self.equity: list[tuple[int, int, int]] = []

    def open(self, step: Step) -> None:
        """Fund both accounts, take the first price, and start the guard."""
        for seat in self.trader.seats:
            seat.venue.open_account()
            seat.venue.play(step)
        venue = self.trader.guarded.venue
        exchange, account = venue.exchange, venue.account
        first = [Change(table="instrument", account=None, row=exchange.instrument_rows(SYMBOL)[0])]
        own = [("margin", row) for row in exchange.margin_rows(account)]
        own += [("wallet", row) for row in exchange.wallet_rows(account)]
        first += (Change(table=table, account=account, row=row) for table, row in own)
        venue.watchers.append(self._hear_guarded)
        self.trader.unguarded.venue.watchers.append(self._hear_unguarded)
        self.guard.start(first)

    def take(self, step: Step) -> None:
        """Move both exchanges to a step, and let bot and guard look at it."""
        for seat in self.trader.seats:
            seat.venue.let_timers_run_out()
            seat.venue.play(step)
        prices = step.prices[0]
        self._refresh(step.tape_ms, float(prices.mark))
        self.trader.look(step)
        self.guard.look(prices)

    def _refresh(self, now_ms: int, mark: float) -> None:
        """Publish the rows that prices have moved, when they have moved enough to matter."""
        cadence = self._cadence
        moved = abs(mark - self._refreshed_mark) > cadence.refresh_move * mark
        if not moved and now_ms < self._refreshed_ms + cadence.refresh_ms:
            return
        self._refreshed_ms, self._refreshed_mark = now_ms, mark
        seat = self.trader.guarded
        if seat.book.quantity:
            seat.venue.refresh(seat.venue.account)

    def _hear_guarded(self, changes: Sequence[Change]) -> None:
        """Hand out what was published: fills to the book, rows to the guard that may see them."""
        self._book_fills(self.trader.guarded, changes)
        public = [one for one in changes if one.account is None and _is_heard(one)]
        private = [one for one in changes if one.account is not None]
        if public or private:
            self.guard.hear(public + private)

    def _hear_unguarded(self, changes: Sequence[Change]) -> None:
        self._book_fills(self.trader.unguarded, changes)

    def _book_fills(self, seat: Seat, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.table == "execution" and change.account is not None:
                seat.book.take(change.row, self._agenda.now_ms())

    def note_equity(self, now_ms: int) -> None:
        """Keep what both accounts have won or lost so far."""
        trader = self.trader
        self.equity.append((now_ms, trader.profit_sat(trader.guarded), trader.profit_sat(trader.unguarded)))

    def record(self) -> LaneRecord:
        """Return all that became of the lane."""
        return LaneRecord(
            lane=self.trader.lane,
            rounds=tuple(self.trader.rounds),
            levels=tuple(self.witness.levels),
            equity=tuple(self.equity),
            open_ms=self.witness.open_ms,
            covered_ms=self.witness.covered_ms,
            requests=dict(sorted(self.line.sent.items())),
            refused_requests=dict(sorted(self.line.refused.items())),
            held_back=self.guard.held_back,
            decisions=self.guard.decisions,
            unsafe=tuple(self.trader.guarded.book.unsafe),
            problem=self.trader.problem,
        )


class Run:
    """A plan played over a history."""

    def __init__(self, history: History, plan: Plan) -> None:
        self._history = history
        self._plan = plan
        self._agenda = Agenda(history.start_ms * NS_PER_MS)
        self._pairs = [_Pair(number, plan, self._agenda) for number in range(len(plan.lanes))]
        self._prices = PriceLog(history.start_ms, history.end_ms)
        self._steps = 0

    def play(self, progress: Progress | None = None) -> RunRecord:
        """Play it to the end."""
        steps = self._history.steps()
        for step in islice(steps, 1):
            self._open(step)
        for step in steps:
            self._take(step)
            if progress is not None and not self._steps % 256:
                progress(step.tape_ms)
        self._agenda.run_until(self._history.end_ms * NS_PER_MS)
        return self._close()

    def _open(self, step: Step) -> None:
        for pair in self._pairs:
            pair.open(step)

    def _take(self, step: Step) -> None:
        """Play one step."""
        self._agenda.run_until(step.tape_ms * NS_PER_MS)
        self._steps += 1
        for pair in self._pairs:
            pair.take(step)
        if self._prices.note(step.tape_ms, float(step.prices[0].mark)):
            for pair in self._pairs:
                pair.note_equity(step.tape_ms)

    def _close(self) -> RunRecord:
        end_ms = self._history.end_ms
        for pair in self._pairs:
            pair.trader.finish(end_ms)
            pair.witness.close_books(end_ms)
            pair.note_equity(end_ms)
        told: list[Told] = sorted((one for pair in self._pairs for one in pair.witness.told), key=lambda one: one.at_ms)
        counted: dict[str, int] = {}
        for pair in self._pairs:
            for name, count in pair.witness.counted.items():
                counted[name] = counted.get(name, 0) + count
        return RunRecord(
            source=self._history.title,
            mark_source=MARK_SOURCE,
            notes=self._history.notes,
            scale=float(self._history.scale),
            start_ms=self._history.start_ms,
            end_ms=end_ms,
            steps=self._steps,
            observes=self._plan.policy.observe,
            lanes=tuple(pair.record() for pair in self._pairs),
            told=tuple(told),
            told_count=dict(sorted(counted.items())),
            prices=self._prices.buckets(),
        )


def _seat(plan: Plan, agenda: Agenda, witness: Witness | None) -> Seat:
    """Return an account on an exchange of its own; `witness` is that of its guard, None without one."""
    venue = BacktestVenue(
        seed=plan.seed, equity_sat=plan.equity_sat, has_guard=witness is not None, now_ms=agenda.now_ms
    )
    return Seat(venue=venue, book=AccountBook(witness))


def _is_heard(change: Change) -> bool:
    """Return whether a public row is of a table that guards listen to, and of the contract played."""
    return change.table in _HEARD and change.row.get("symbol", SYMBOL) == SYMBOL


def play(history: History, plan: Plan, progress: Progress | None = None) -> RunRecord:
    """Play a plan over a history.

    Raises:
        InvariantBroken: If a guard's core contradicts itself.
    """
    return Run(history, plan).play(progress)
