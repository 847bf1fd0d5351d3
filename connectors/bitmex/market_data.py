"""Prices and contract figures: the public `instrument` stream behind the `MarketData` port.

Why: a mark update costs one small decoding and one call of the sink, whatever else the frame holds. Only a frame that
changes a figure of a contract (funding rate, state, tick, lot, margins, fee) is laid over the table and reported as an
`Instrument`, and only if the figure really changed.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import structlog

from config.venue import VenueSettings
from connectors.bitmex.feed import FeedConnection, Jitter
from connectors.bitmex.protocol import marks
from connectors.bitmex.protocol.frames import TableFrame
from connectors.bitmex.protocol.numbers import MalformedRow, Row, number
from connectors.bitmex.protocol.parse import INSTRUMENT_COLUMNS, parse_instrument
from connectors.bitmex.protocol.session import Event, Session, SessionTimes, State, TopicRefused
from connectors.bitmex.protocol.tables import Action, Table
from connectors.ports import Feed, FeedSink
from connectors.vocabulary import Instrument

INSTRUMENT = "instrument"
_REMEMBERED = INSTRUMENT_COLUMNS | {"markPrice"}
_LIVE = State.LIVE
"""Bound once: it is asked for with every frame, and reading an enum's member is no plain look-up."""

_log = structlog.get_logger("connectors.bitmex.market_data")


class BitmexMarketData:
    """The `MarketData` port on BitMEX."""

    def __init__(
        self,
        *,
        settings: VenueSettings,
        sink: FeedSink,
        jitter: Jitter,
        symbols: Sequence[str] = (),
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Prepare the stream of these symbols, or of every instrument if none are named.

        Args:
            settings: Where the venue is and how patient to be.
            sink: Takes the news.
            jitter: A fraction from 0 to below 1 for the pauses between connections.
            symbols: Contracts to watch, as the venue writes them.
            now_ns: The wall clock, nanoseconds since 1970 UTC.
        """
        self._reader = _InstrumentReader(sink, symbols)
        self._feed = FeedConnection(
            settings=settings, feed=Feed.MARKET, sink=sink, reader=self._reader, jitter=jitter, now_ns=now_ns
        )

    async def run(self) -> None:
        """Keep the stream up until cancelled."""
        await self._feed.run()

    def exact_mark(self, frame: bytes, symbol: str) -> Decimal | None:
        """Return the last mark price of `symbol` in a raw frame, exactly as sent; None if the frame holds none."""
        return marks.exact_mark(frame, symbol)


class _InstrumentReader:
    """Turns `instrument` frames into marks and figures."""

    def __init__(self, sink: FeedSink, symbols: Sequence[str]) -> None:
        self._sink = sink
        self._topics = tuple(f"{INSTRUMENT}:{symbol}" for symbol in symbols) or (INSTRUMENT,)
        self._table = Table(INSTRUMENT, columns=_REMEMBERED)
        self._known: set[str] = set()
        self._figures: dict[str, Instrument] = {}

    def new_session(self, times: SessionTimes) -> Session:
        """Forget the last connection: every figure is reported anew from the next partial."""
        self._table = Table(INSTRUMENT, columns=_REMEMBERED)
        self._known.clear()
        self._figures.clear()
        return Session(topics=self._topics, times=times, is_private=False)

    def sign_in(self) -> bytes:
        """Public data needs none."""
        return b""

    def read(self, session: Session, raw: bytes, *, now_s: float, received_ns: int) -> None:
        """Take one frame; the usual one, moving marks of known symbols, goes no further than this."""
        rows = marks.mark_rows(raw) if session.state is _LIVE else None
        if rows is None or not self._are_plain(rows):
            session.receive(raw, now_s)
            return
        session.heard(now_s)
        tell = self._sink.mark_price
        for row in rows:
            if row.markPrice is not None:
                tell(row.symbol, row.markPrice, raw, received_ns=received_ns)

    def _are_plain(self, rows: list[marks.MarkRow]) -> bool:
        known = self._known
        for row in rows:  # noqa: SIM110 -- a generator would cost a third of the whole path
            if row.symbol not in known or row.has_figures():
                return False
        return True

    def take(self, event: Event, *, received_ns: int) -> None:
        """Lay table frames over the table and report what changed.

        Raises:
            TableBroken: If a change names an unknown symbol.
            MalformedRow: If a figure cannot be read.
        """
        if isinstance(event, TopicRefused):
            _log.warning("topic refused", topic=event.topic, reason=event.reason)
        if not isinstance(event, TableFrame) or event.table != INSTRUMENT:
            return
        whole_rows = self._table.apply(event.action, event.rows, keys=event.keys, covered=event.covered)
        if event.action is Action.DELETE:
            self._known -= {str(row["symbol"]) for row in whole_rows}
            return
        for whole, sent in zip(whole_rows, event.rows, strict=False):
            self._known.add(str(whole["symbol"]))
            self._report_figures(whole, received_ns, is_partial=event.action is Action.PARTIAL)
            self._report_mark(sent, received_ns)

    def _report_figures(self, row: Row, received_ns: int, *, is_partial: bool) -> None:
        """Report a contract. One that cannot be read must not blind the others: in a partial it is left out, loudly."""
        try:
            instrument = parse_instrument(row)
        except MalformedRow as malformed:
            if not is_partial:
                raise
            _log.warning("instrument left out", symbol=row["symbol"], reason=str(malformed))
            return
        if instrument is not None and self._figures.get(instrument.symbol) != instrument:
            self._figures[instrument.symbol] = instrument
            self._sink.instrument(instrument, received_ns=received_ns)

    def _report_mark(self, row: Row, received_ns: int) -> None:
        mark = number(row, "markPrice")
        if mark is not None:
            symbol = str(row["symbol"])
            excerpt = marks.mark_excerpt(symbol, mark)
            self._sink.mark_price(symbol, float(mark), excerpt, received_ns=received_ns)
