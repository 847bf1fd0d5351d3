"""Everything that happens to the account: the private stream behind the `DropCopy` port.

Why: orders, positions, margin and executions arrive here whoever caused them, so this stream is what confirms that a
stop rests. Rows are reported whole, laid over what their table knew; snapshots follow each partial and replace what was
known. The dead man's switch is fed over the same connection, because that costs no request budget.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from config.credentials import SigningKey
from config.venue import VenueSettings
from connectors.bitmex.extra_topics import ExtraTopics, laid_over
from connectors.bitmex.feed import FeedConnection, Jitter
from connectors.bitmex.protocol.frames import SwitchAnswer, TableFrame
from connectors.bitmex.protocol.numbers import MalformedRow, Row, text
from connectors.bitmex.protocol.parse import (
    is_refused_request,
    parse_execution,
    parse_margin,
    parse_order,
    parse_position,
    refusal_reason,
)
from connectors.bitmex.protocol.parse_inputs import parse_wallet
from connectors.bitmex.protocol.requests import cancel_all_after_frame
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_events import Doubted, Event, ExtraTopic, Live, Lost, SwitchRefused
from connectors.bitmex.protocol.signing import sign_in_frame
from connectors.bitmex.protocol.switch import switch_receipt
from connectors.bitmex.protocol.tables import Action, OrderTable, PositionTable, Seen, Table
from connectors.errors import OutcomeUnknown, Rejected, Unavailable, VenueError
from connectors.ports import Feed, FeedSink, SwitchReceipt

TOPICS: Final = ("order", "position", "margin", "execution")
EXTRAS: Final = ("wallet",)
"""Asked for once the stream is live: it tells deposits and withdrawals, and the guard protects without it."""
_NS_PER_S: Final = 1_000_000_000
_WHOLE_PICTURE: Final = frozenset({Action.PARTIAL, Action.DELETE})
"""After these the whole table is told: rows may have gone."""

_log = structlog.get_logger("connectors.bitmex.drop_copy")


class BitmexDropCopy:
    """The `DropCopy` port on BitMEX."""

    def __init__(
        self,
        *,
        settings: VenueSettings,
        credentials: SigningKey,
        sink: FeedSink,
        jitter: Jitter,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Prepare the stream of the account that the key belongs to.

        Args:
            settings: Where the venue is and how patient to be.
            credentials: The key; the secret signs each connection in and goes nowhere else.
            sink: Takes the news.
            jitter: A fraction from 0 to below 1 for the pauses between connections.
            now_ns: The wall clock, nanoseconds since 1970 UTC; it dates sign-ins.
        """
        self._answer_within_s = settings.request_timeout_s
        self._switch = _SwitchLine()
        self._feed = FeedConnection(
            settings=settings,
            feed=Feed.ACCOUNT,
            sink=sink,
            reader=_AccountReader(
                sink=sink,
                switch=self._switch,
                sign_in=lambda: sign_in_frame(credentials, expires_s=now_ns() // _NS_PER_S + settings.expires_after_s),
            ),
            jitter=jitter,
            now_ns=now_ns,
        )

    async def run(self) -> None:
        """Keep the stream up until cancelled."""
        await self._feed.run()

    def renew(self, reason: str) -> None:
        """Give the present connection up; the next one starts from partials. Nothing happens while there is none."""
        self._feed.renew(reason)

    async def cancel_all_after(self, timeout_ms: int) -> SwitchReceipt:
        """Feed the dead man's switch over the stream; 0 disarms. One feed at a time, in the order of the calls.

        Raises:
            Unavailable: The stream is not live, or the venue asks for a pause; nothing was done.
            OutcomeUnknown: Sent, and no readable answer in time.
            Rejected: The venue refused it, or armed something else than what was asked.
        """
        frame = cancel_all_after_frame(timeout_ms)
        async with self._switch.turn:
            answer = self._switch.expect(timeout_ms)
            try:
                async with asyncio.timeout(self._answer_within_s):
                    await self._feed.send(frame)
                    return await answer
            except TimeoutError:
                raise OutcomeUnknown("the switch was fed over the stream and no answer came in time") from None
            finally:
                self._switch.forget()


class _SwitchLine:
    """The one feed of the dead man's switch that is under way, waiting for its answer."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._answer: asyncio.Future[SwitchReceipt] | None = None
        self._timeout_ms = 0

    def expect(self, timeout_ms: int) -> asyncio.Future[SwitchReceipt]:
        """Return the future of the answer to this time-out."""
        self._timeout_ms = timeout_ms
        self._answer = asyncio.get_running_loop().create_future()
        return self._answer

    def forget(self) -> None:
        """Stop waiting: what arrives now is late."""
        if self._answer is not None and self._answer.done() and not self._answer.cancelled():
            self._answer.exception()
        self._answer = None

    def answered(self, answer: SwitchAnswer) -> None:
        """An answer arrived; a late one to another time-out is passed over."""
        if answer.timeout_ms is not None and answer.timeout_ms != self._timeout_ms:
            return
        try:
            receipt = switch_receipt(answer.row, timeout_ms=self._timeout_ms)
        except MalformedRow as malformed:
            self.failed(OutcomeUnknown(f"the answer to the switch cannot be read: {malformed}"))
        except Rejected as mismatch:
            self.failed(mismatch)
        else:
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(receipt)

    def refused(self, refusal: SwitchRefused) -> None:
        """The venue said no."""
        if refusal.timeout_ms is not None and refusal.timeout_ms != self._timeout_ms:
            return
        if refusal.status in {429, 503}:
            pause_s = refusal.retry_after_s or 1.0
            is_limit = refusal.status == 429
            self.failed(Unavailable(refusal.reason, status=refusal.status, retry_after_s=pause_s, is_limit=is_limit))
        else:
            self.failed(Rejected(refusal.reason, status=refusal.status))

    def failed(self, error: VenueError) -> None:
        """Whoever waits gets this error."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


class _AccountReader:
    """Turns account frames into rows of the vocabulary."""

    asides: tuple[bytes, ...] = ()

    def __init__(self, *, sink: FeedSink, switch: _SwitchLine, sign_in: Callable[[], bytes]) -> None:
        self._sink = sink
        self._switch = switch
        self._sign_in = sign_in
        self._seen = Seen()
        self._extras = ExtraTopics(EXTRAS, sink)
        self._start_over()

    def _start_over(self) -> None:
        self._orders = OrderTable()
        self._positions = PositionTable("position")
        self._margins = Table("margin")
        self._executions = Table("execution", columns=())
        self._wallets = Table("wallet")
        known = (self._orders, self._positions, self._margins, self._executions, self._wallets)
        self._tables: dict[str, Table] = {table.name: table for table in known}

    def new_session(self, times: SessionTimes) -> Session:
        """Forget every row of the last connection; only the ids of executions met are kept."""
        self._start_over()
        return self._extras.session(topics=TOPICS, times=times, is_private=True)

    def sign_in(self) -> bytes:
        """Return the sign-in message, signed now."""
        return self._sign_in()

    def read(self, session: Session, raw: bytes, *, now_s: float, received_ns: int) -> bool:  # noqa: ARG002
        """Take one frame; every account frame goes the long way."""
        session.receive(raw, now_s)
        return session.has_events

    def take(self, event: Event, *, received_ns: int) -> None:
        """Act on an event of the session.

        Raises:
            TableBroken: If a change names an unknown row.
            MalformedRow: If a row cannot be read.
        """
        match event:
            case TableFrame():
                self._take_table(event, received_ns)
            case SwitchAnswer():
                self._switch.answered(event)
            case SwitchRefused():
                self._switch.refused(event)
            case Live():
                self._extras.live(received_ns=received_ns)
            case ExtraTopic():
                self._extras.take(event, received_ns=received_ns)
            case Doubted():
                self._tables[event.table].forget()
            case Lost():
                self._switch.failed(OutcomeUnknown(f"the stream was lost before the answer: {event.reason}"))
            case _:
                pass

    def _take_table(self, frame: TableFrame, received_ns: int) -> None:
        match frame.table:
            case "order":
                self._take_orders(frame, received_ns)
            case "position":
                self._take_positions(frame, received_ns)
            case "margin":
                self._take_margins(frame, received_ns)
            case "execution":
                self._take_executions(frame, received_ns)
            case "wallet":
                self._take_wallets(frame, received_ns)
            case _:
                _log.debug("frame of a table nobody asked for", table=frame.table)

    # ------------------------------------------------------------------ tables

    def _take_orders(self, frame: TableFrame, received_ns: int) -> None:
        about_orders = [row for row in frame.rows if not is_refused_request(row)]
        for row in frame.rows:
            if is_refused_request(row):
                self._report_refusal(row, received_ns)
        touched = laid_over(self._orders, frame, about_orders)
        if frame.action in _WHOLE_PICTURE:
            self._orders.settle()
            found = tuple(parse_order(row) for row in self._orders.rows())
            self._sink.orders_snapshot(found, received_ns=received_ns)
            return
        for row in touched:
            self._sink.order(parse_order(row), received_ns=received_ns)
        self._orders.settle(touched)

    def _take_positions(self, frame: TableFrame, received_ns: int) -> None:
        touched = laid_over(self._positions, frame)
        if frame.action in _WHOLE_PICTURE:
            found = tuple(parse_position(row) for row in self._positions.rows())
            self._sink.positions_snapshot(found, received_ns=received_ns)
            return
        for row in touched:
            self._sink.position(parse_position(row), received_ns=received_ns)

    def _take_margins(self, frame: TableFrame, received_ns: int) -> None:
        touched = laid_over(self._margins, frame)
        if frame.action is not Action.DELETE:
            for row in touched:
                self._sink.margin(parse_margin(row), received_ns=received_ns)

    def _take_wallets(self, frame: TableFrame, received_ns: int) -> None:
        touched = laid_over(self._wallets, frame)
        if frame.action is not Action.DELETE:
            for row in touched:
                self._sink.wallet(parse_wallet(row), received_ns=received_ns)

    def _take_executions(self, frame: TableFrame, received_ns: int) -> None:
        """Executions repeat after a reconnect and may share a millisecond: each id counts once."""
        if frame.action is Action.PARTIAL:
            self._executions.apply(Action.PARTIAL, (), keys=frame.keys or ())
        if frame.action is Action.DELETE or not self._executions.is_known:
            return
        for row in frame.rows:
            if self._seen.is_new(text(row, "execID")):
                self._report_execution(row, received_ns)

    def _report_execution(self, row: Row, received_ns: int) -> None:
        """Report one execution. One that cannot be read is left out, loudly: the position table tells its effect."""
        if is_refused_request(row):
            self._report_refusal(row, received_ns)
            return
        try:
            execution = parse_execution(row)
        except MalformedRow as malformed:
            _log.warning("execution left out", reason=str(malformed))
            return
        self._sink.execution(execution, received_ns=received_ns)

    def _report_refusal(self, row: Row, received_ns: int) -> None:
        """A failed amend or cancel. The row has no symbol and no side, and the order itself may be alive."""
        self._sink.request_refused(
            text(row, "clOrdID"), text(row, "orderID"), refusal_reason(row), received_ns=received_ns
        )
