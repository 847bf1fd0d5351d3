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
from typing import Final

import structlog
from msgspec import UNSET

from config.venue import VenueSettings
from connectors.bitmex.extra_topics import ExtraTopics, laid_over
from connectors.bitmex.feed import FeedConnection, Jitter
from connectors.bitmex.protocol import marks
from connectors.bitmex.protocol.frames import TableFrame
from connectors.bitmex.protocol.numbers import MalformedRow, Row, number, required_text
from connectors.bitmex.protocol.parse import INSTRUMENT_COLUMNS, parse_instrument
from connectors.bitmex.protocol.parse_inputs import parse_insurance, parse_liquidation
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_events import Doubted, Event, ExtraTopic, Live, Lost, TopicRefused
from connectors.bitmex.protocol.tables import Action, Table
from connectors.ports import Feed, FeedSink
from connectors.vocabulary import Instrument, Insurance, Quote

INSTRUMENT = "instrument"
EXTRAS: Final = ("insurance", "liquidation")
"""Asked for once the prices are there: the guard protects without them."""
_REMEMBERED = INSTRUMENT_COLUMNS | {"markPrice"}
_INSURANCE_TOLD: Final = 8
"""Publications of each currency that a partial may tell, the newest: one comes each day."""

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

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest bid and ask of a contract on this connection; None while nothing was said of either."""
        return self._reader.quote(symbol)


class _InstrumentReader:
    """Turns `instrument` frames into marks and figures."""

    asides = tuple(f'{{"table":"{topic}"'.encode() for topic in EXTRAS)
    """On a day of crashes they come by the hundred, over a stream whose prices may stand still."""

    def __init__(self, sink: FeedSink, symbols: Sequence[str]) -> None:
        self._sink = sink
        self._topics = tuple(f"{INSTRUMENT}:{symbol}" for symbol in symbols) or (INSTRUMENT,)
        self._extras = ExtraTopics(EXTRAS, sink)
        self._start_over()

    def _start_over(self) -> None:
        self._table = Table(INSTRUMENT, columns=_REMEMBERED)
        self._known: set[str] = set()
        self._figures: dict[str, Instrument] = {}
        self._liquidations = Table("liquidation")
        self._is_live = False
        """As the session says; asked for with every frame, so it is kept at hand."""
        self._bids: dict[str, float | None] = {}
        self._asks: dict[str, float | None] = {}

    def new_session(self, times: SessionTimes) -> Session:
        """Forget the last connection: every figure is reported anew from the next partial."""
        self._start_over()
        return self._extras.session(topics=self._topics, times=times, is_private=False)

    def sign_in(self) -> bytes:
        """Public data needs none."""
        return b""

    def read(self, session: Session, raw: bytes, *, now_s: float, received_ns: int) -> bool:
        """Take one frame; the usual one, moving marks of known symbols, goes no further than this."""
        rows = marks.mark_rows(raw) if self._is_live else None
        if rows is None or not self._are_plain(rows):
            session.receive(raw, now_s)
            return session.has_events
        session.heard(now_s)
        tell = self._sink.mark_price
        for row in rows:
            if row.bidPrice is not UNSET:
                self._bids[row.symbol] = row.bidPrice
            if row.askPrice is not UNSET:
                self._asks[row.symbol] = row.askPrice
            if row.markPrice is not None:
                tell(row.symbol, row.markPrice, raw, received_ns=received_ns)
        return False

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
        match event:
            case TopicRefused():
                _log.warning("topic refused", topic=event.topic, reason=event.reason)
            case Live():
                self._is_live = True
                self._extras.live(received_ns=received_ns)
            case Doubted():
                self._forget(event.table)
            case Lost():
                self._is_live = False
            case ExtraTopic():
                self._extras.take(event, received_ns=received_ns)
            case TableFrame(table="instrument"):
                self._take_instruments(event, received_ns)
            case TableFrame(table="insurance"):
                self._take_insurance(event, received_ns)
            case TableFrame(table="liquidation"):
                self._take_liquidations(event, received_ns)
            case _:
                pass

    def _forget(self, table: str) -> None:
        """Every figure is reported anew from the next partial; insurance has no table."""
        if table == INSTRUMENT:
            self._table.forget()
            self._known.clear()
            self._figures.clear()
        elif table == self._liquidations.name:
            self._liquidations.forget()

    def _take_instruments(self, event: TableFrame, received_ns: int) -> None:
        whole_rows = self._table.apply(event.action, event.rows, keys=event.keys, covered=event.covered)
        if event.action is Action.DELETE:
            self._known -= {required_text(row, "symbol") for row in whole_rows}
            return
        for whole, sent in zip(whole_rows, event.rows, strict=False):
            self._known.add(required_text(whole, "symbol"))
            self._report_figures(whole, received_ns, is_partial=event.action is Action.PARTIAL)
            self._note_quote(sent)
            self._report_mark(sent, received_ns)

    def _take_insurance(self, frame: TableFrame, received_ns: int) -> None:
        """Report what was published; of a partial only the newest, which may hold years."""
        if frame.action is Action.DELETE:
            return
        found = sorted(map(parse_insurance, frame.rows), key=lambda each: each.timestamp_ns)
        by_currency: dict[str, list[Insurance]] = {}
        for each in found:
            by_currency.setdefault(each.currency, []).append(each)
        for published in by_currency.values():
            for each in published[-_INSURANCE_TOLD:]:
                self._sink.insurance(each, received_ns=received_ns)

    def _take_liquidations(self, frame: TableFrame, received_ns: int) -> None:
        is_gone = frame.action is Action.DELETE
        for row in laid_over(self._liquidations, frame):
            self._sink.liquidation(parse_liquidation(row), is_gone=is_gone, received_ns=received_ns)

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

    def _note_quote(self, row: Row) -> None:
        """Remember bid and ask of a row that took the long way. One that cannot be read is as good as none."""
        for column, prices in (("bidPrice", self._bids), ("askPrice", self._asks)):
            if column in row:
                try:
                    told = number(row, column)
                except MalformedRow:
                    told = None
                prices[str(row["symbol"])] = None if told is None else float(told)

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest bid and ask: an update brings the one that moved, and null for a side without orders.

        The shortest decimal of a double is the one that was sent, for all prices of fifteen digits or fewer.
        """
        if symbol not in self._bids and symbol not in self._asks:
            return None
        return Quote(symbol=symbol, bid=_decimal(self._bids.get(symbol)), ask=_decimal(self._asks.get(symbol)))

    def _report_mark(self, row: Row, received_ns: int) -> None:
        mark = number(row, "markPrice")
        if mark is not None:
            symbol = str(row["symbol"])
            excerpt = marks.mark_excerpt(symbol, mark)
            self._sink.mark_price(symbol, float(mark), excerpt, received_ns=received_ns)


def _decimal(price: float | None) -> Decimal | None:
    return None if price is None else Decimal(repr(price))
