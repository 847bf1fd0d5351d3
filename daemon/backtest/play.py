"""One run: exchange, guards and bot on one agenda, from the first price of the history to the last.

Order of things, at each step of the tape: everything that was due before (messages, timers, ticks), then the exchange
takes the prices, then guards and bot look at them. What the exchange publishes leaves for the guards at once and
arrives when it arrives.

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
    """A lane's two accounts, the guard of one of them, and the bot."""

    def __init__(self, number: int, plan: Plan, venue: BacktestVenue, door: Door, agenda: Agenda) -> None:
        self.witness = Witness(number)
        first = 2 * number
        guarded, unguarded = venue.accounts[first], venue.accounts[first + 1]
        key = venue.keyring.of_account(guarded)[0]
        credentials = Credentials(key_id=key.key_id, secret=Secret(key.secret))
        self.line = DoorLine(door, credentials, address=f"guard {number}", now_ns=agenda.wall_ns)
        orders = BitmexOrderEntry(settings=_PLACE, credentials=credentials, now_ns=agenda.wall_ns, line=self.line)
        self.guard = GuardRun(
            guarded,
            plan.policy,
            agenda=agenda,
            orders=orders,
            latency=Latency(plan.latency_ms, derive(plan.seed, 7, number)),
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
            venue=venue,
            witness=self.witness,
            guarded=Seat(account=guarded, book=AccountBook(self.witness)),
            unguarded=Seat(account=unguarded, book=AccountBook(None)),
            due_ms=start_ms + plan.warm_up_ms if lane.at_ms is None else lane.at_ms,
        )
        self.equity: list[tuple[int, int, int]] = []

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
        self._venue = BacktestVenue(
            seed=plan.seed,
            accounts=2 * len(plan.lanes),
            equity_sat=plan.equity_sat,
            now_ms=self._agenda.now_ms,
        )
        door = Door(self._venue)
        self._pairs = [_Pair(number, plan, self._venue, door, self._agenda) for number in range(len(plan.lanes))]
        self._books = {seat.account: seat.book for pair in self._pairs for seat in pair.trader.seats}
        self._guards = {pair.trader.guarded.account: pair.guard for pair in self._pairs}
        self._prices = PriceLog(history.start_ms, history.end_ms)
        self._refreshed_ms = 0
        self._refreshed_mark = 0.0
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
        self._venue.open_accounts()
        self._venue.play(step)
        first: list[Change] = [
            Change(table="instrument", account=None, row=self._venue.exchange.instrument_rows(SYMBOL)[0])
        ]
        self._venue.watchers.append(self._spread)
        for account, guard in self._guards.items():
            own = [("margin", row) for row in self._venue.exchange.margin_rows(account)]
            own += [("wallet", row) for row in self._venue.exchange.wallet_rows(account)]
            guard.start([*first, *(Change(table=table, account=account, row=row) for table, row in own)])

    def _take(self, step: Step) -> None:
        """Play one step."""
        self._agenda.run_until(step.tape_ms * NS_PER_MS)
        self._venue.let_timers_run_out()
        self._venue.play(step)
        self._steps += 1
        prices = step.prices[0]
        mark = float(prices.mark)
        self._refresh(step.tape_ms, mark)
        for pair in self._pairs:
            pair.trader.look(step)
            pair.guard.look(prices)
        if self._prices.note(step.tape_ms, mark):
            for pair in self._pairs:
                pair.note_equity(step.tape_ms)

    def _refresh(self, now_ms: int, mark: float) -> None:
        """Publish the rows that prices have moved, when they have moved enough to matter."""
        cadence = self._plan.cadence
        moved = abs(mark - self._refreshed_mark) > cadence.refresh_move * mark
        if not moved and now_ms < self._refreshed_ms + cadence.refresh_ms:
            return
        self._refreshed_ms, self._refreshed_mark = now_ms, mark
        for account in self._guards:
            if self._books[account].quantity:
                self._venue.refresh(account)

    def _spread(self, changes: Sequence[Change]) -> None:
        """Hand out what was published: fills to the books, rows to the guards that may see them."""
        public: list[Change] = []
        private: dict[int, list[Change]] = {}
        for change in changes:
            if change.account is None:
                if change.table in _HEARD and change.row.get("symbol", SYMBOL) == SYMBOL:
                    public.append(change)
                continue
            if change.table == "execution":
                self._books[change.account].take(change.row, self._agenda.now_ms())
            private.setdefault(change.account, []).append(change)
        for account, guard in self._guards.items():
            news = public + private.get(account, [])
            if news:
                guard.hear(news)

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


def play(history: History, plan: Plan, progress: Progress | None = None) -> RunRecord:
    """Play a plan over a history.

    Raises:
        InvariantBroken: If a guard's core contradicts itself.
    """
    return Run(history, plan).play(progress)
