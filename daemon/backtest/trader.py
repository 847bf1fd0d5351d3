"""The bot: opens the same position on both accounts of a lane, and closes what is left when its time is over.

Why: what the guard was worth shows only beside an account that did the same without one. So both enter at the same
instant, in the same size, from the same equity, each on an exchange of its own and so meeting the whole book, and a
round is judged when both are out.

Units: milliseconds of the history played, satoshi, contracts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from connectors.simulated.engine.inputs import Deposit, Isolate, PlaceOrder, SetLeverage
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.tape.tape import Step
from connectors.vocabulary import Side
from daemon.backtest.plan import SAT, Lane, Plan
from daemon.backtest.record import Cause, Half, Round
from daemon.backtest.venue import CURRENCY, LOT, SYMBOL, BacktestVenue
from daemon.backtest.witness import BOT_PREFIX, AccountBook, Witness

CROSS_SHARE = Decimal("0.98")
"""Of equity times leverage: the rest pays the fees of the entry."""
RETRY_MS = 60_000


@dataclass(kw_only=True, slots=True)
class Seat:
    """One account of a lane, on its own exchange."""

    venue: BacktestVenue
    book: AccountBook
    put_in_sat: int = 0
    """Deposits less withdrawals since the first round."""
    began_sat: int = 0
    """Equity at the start of the round."""


@dataclass(kw_only=True, slots=True)
class LaneTrader:
    """Trades one lane.

    Attributes:
        rounds: Those that are over.
    """

    number: int
    lane: Lane
    plan: Plan
    witness: Witness
    guarded: Seat
    unguarded: Seat
    due_ms: int
    rounds: list[Round] = field(default_factory=list)
    problem: str = ""
    """Why the last entry was refused, in the exchange's words."""
    _opened_ms: int | None = None
    _quantity: int = 0
    _liquidation: float | None = None
    _standing: Decimal | None = None
    """Last price when the mark reached the guard's stop; None: it has not yet."""
    _last: Decimal | None = None
    _met: float | None = None
    """Best price traded since then, while the position was there."""

    @property
    def seats(self) -> tuple[Seat, Seat]:
        """Both accounts, the guarded one first."""
        return self.guarded, self.unguarded

    def look(self, step: Step) -> None:
        """Enter, or end the round, if it is time."""
        self.witness.mark = float(step.prices[0].mark)
        self._watch_way(step)
        if self._opened_ms is None:
            if self.due_ms <= step.tape_ms and not step.prices[0].halted:
                self._enter(step)
            return
        is_over = all(seat.book.quantity == 0 for seat in self.seats)
        if is_over or (step.tape_ms >= self._closes_ms(self._opened_ms) and not step.prices[0].halted):
            self._leave(step, is_forced=is_over)

    def finish(self, now_ms: int) -> None:
        """The history is over: value what is open at the last mark."""
        if self._opened_ms is not None:
            self._note_round(self._opened_ms, now_ms)

    def profit_sat(self, seat: Seat) -> int:
        """Return what an account has won or lost so far."""
        return seat.venue.equity_sat() - self.plan.equity_sat - seat.put_in_sat

    def _watch_way(self, step: Step) -> None:
        """Note what was traded since the mark reached the stop: without a trade no stop can fill."""
        stop, prices = self.witness.stop, step.prices[0]
        if self._opened_ms is None or stop is None or self.guarded.book.exit is not None:
            return
        is_long = self.lane.side is Side.LONG
        if self._standing is None:
            mark = float(prices.mark)
            if (mark <= stop) if is_long else (mark >= stop):
                self._standing = self._last or prices.last
        if self._standing is not None and prices.last != self._standing and not prices.halted:
            last = float(prices.last)
            better = max if is_long else min
            self._met = last if self._met is None else better(self._met, last)
        self._last = prices.last

    def _cause(self) -> Cause | None:
        """Why the guarded account was liquidated, if it was."""
        book = self.guarded.book
        if not book.liquidated:
            return None
        if self._standing is not None and self._met is None:
            return Cause.NOTHING_TRADED
        if self._met is not None and (self._met - book.last_price) * self.lane.side.sign <= 0:
            return Cause.NOTHING_TRADED
        return Cause.THIN_BOOK if book.closed_by_guard else Cause.NOT_STOPPED

    # ------------------------------------------------------------ entering

    def _enter(self, step: Step) -> None:
        price = step.prices[0].last
        quantity = self._size(price)
        self.witness.forget_cover()
        self._standing = self._met = None
        for seat in self.seats:
            seat.book.begin()
            self._level(seat)
            seat.began_sat = seat.venue.equity_sat()
        try:
            for seat in self.seats:
                self._open(seat, quantity)
        except Refused as refusal:
            self.problem = refusal.message
            self._close_all()
            self.due_ms = step.tape_ms + RETRY_MS
            return
        self._opened_ms, self._quantity = step.tape_ms, quantity
        self._liquidation = self._shown_liquidation()

    def _size(self, price: Decimal) -> int:
        if self.lane.contracts is not None:
            return self.lane.contracts
        equity = Decimal(self.plan.equity_sat) / SAT
        share = CROSS_SHARE if self.lane.is_cross else self.plan.margin_share
        lot = LOT
        return max(1, int(equity * share * self.lane.leverage * price / lot)) * lot

    def _level(self, seat: Seat) -> None:
        """Bring a flat account back to the equity that every round begins with."""
        lacking = self.plan.equity_sat - seat.venue.equity_sat()
        if lacking:
            seat.venue.submit(Deposit(account=seat.venue.account, currency=CURRENCY, amount=lacking))
            seat.put_in_sat += lacking

    def _open(self, seat: Seat, quantity: int) -> None:
        if self.lane.is_cross:
            seat.venue.submit(Isolate(account=seat.venue.account, symbol=SYMBOL, enabled=False))
        else:
            seat.venue.submit(SetLeverage(account=seat.venue.account, symbol=SYMBOL, leverage=self.lane.leverage))
        self._order(seat, "Buy" if self.lane.side is Side.LONG else "Sell", quantity, f"open-{self.due_ms}")

    def _order(self, seat: Seat, side: str, quantity: int, purpose: str, *, exec_inst: str = "") -> None:
        order = PlaceOrder(
            account=seat.venue.account,
            symbol=SYMBOL,
            side=side,
            order_qty=quantity,
            ord_type="Market",
            exec_inst=exec_inst,
            cl_ord_id=f"{BOT_PREFIX}{purpose}-{self.number}-{len(self.rounds)}",
        )
        seat.venue.submit(order)

    def _shown_liquidation(self) -> float | None:
        venue = self.unguarded.venue
        rows = venue.exchange.position_rows(venue.account)
        shown = next((row["liquidationPrice"] for row in rows if row["symbol"] == SYMBOL), None)
        return None if shown is None else float(str(shown))

    # ------------------------------------------------------------ leaving

    def _closes_ms(self, opened_ms: int) -> int:
        if self.lane.at_ms is None:
            return opened_ms + self.plan.hold_ms
        return self.lane.until_ms if self.lane.until_ms is not None else 1 << 62

    def _leave(self, step: Step, *, is_forced: bool) -> None:
        if self._opened_ms is None:
            return
        self._close_all()
        if any(seat.book.quantity for seat in self.seats):
            return  # the book could not take all of it: on with the next price
        self._note_round(self._opened_ms, step.tape_ms)
        self._opened_ms = None
        pause_ms = self.plan.again_after_ms if is_forced else 0
        self.due_ms = step.tape_ms + pause_ms if self.lane.at_ms is None else 1 << 62

    def _close_all(self) -> None:
        for seat in self.seats:
            held = seat.book.quantity
            if held:
                self._close(seat, held)

    def _close(self, seat: Seat, held: int) -> None:
        try:
            purpose = f"close-{seat.venue.tape_ms}"
            self._order(seat, "Sell" if held > 0 else "Buy", abs(held), purpose, exec_inst="ReduceOnly")
        except Refused as refusal:
            self.problem = refusal.message

    def _note_round(self, opened_ms: int, now_ms: int) -> None:
        covered_ms = self.witness.covered_at_ms
        guarded, unguarded = (self._half(seat) for seat in self.seats)
        one = Round(
            lane=self.number,
            number=len(self.rounds) + 1,
            opened_ms=opened_ms,
            ended_ms=now_ms,
            quantity=self._quantity if self.lane.side is Side.LONG else -self._quantity,
            liquidation_price=self._liquidation,
            guarded=guarded,
            unguarded=unguarded,
            protected_after_ms=None if covered_ms is None else covered_ms - opened_ms,
            cause=self._cause(),
        )
        self.rounds.append(one)

    def _half(self, seat: Seat) -> Half:
        book = seat.book
        return Half(
            entry_price=book.entry_price,
            exit=book.exit,
            result_sat=seat.venue.equity_sat() - seat.began_sat,
            fees_sat=book.fees_sat,
            funding_sat=book.funding_sat,
            cuts=book.cuts,
            closed_by_guard=book.closed_by_guard,
            liquidated=book.liquidated,
        )
