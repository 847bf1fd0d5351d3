"""The topics that a stream can do without, as its reader sees them.

Why: both readers have some (`wallet` beside the account, `insurance` and `liquidation` beside the prices), and for all
of them the same holds: what is missing or cannot be read is a warning and a fact for the sink, never a lost connection.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from connectors.bitmex.protocol.frames import TableFrame
from connectors.bitmex.protocol.numbers import Row
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_events import ExtraTopic
from connectors.bitmex.protocol.tables import Table
from connectors.ports import FeedSink

_log = structlog.get_logger("connectors.bitmex.extra_topics")


class ExtraTopics:
    """The extra topics of one stream, through all its connections."""

    def __init__(self, topics: Sequence[str], sink: FeedSink) -> None:
        self._topics = tuple(topics)
        self._sink = sink
        self._session: Session | None = None
        self._is_wary = False

    def session(self, *, topics: Sequence[str], times: SessionTimes, is_private: bool) -> Session:
        """Return the session of the next connection. One that follows a loss over extra topics asks for none."""
        self._is_wary = self._session is not None and self._session.blames_extras
        extras = () if self._is_wary else self._topics
        self._session = Session(topics=topics, times=times, is_private=is_private, extras=extras)
        return self._session

    def live(self, *, received_ns: int) -> None:
        """The stream is live: report the topics that this connection will not ask for."""
        if self._is_wary:
            problem = "left out: the venue may have ended the last connection over it"
            for topic in self._topics:
                self.take(ExtraTopic(topic=topic, problem=problem), received_ns=received_ns)

    def take(self, event: ExtraTopic, *, received_ns: int) -> None:
        """Report that a topic is there, or missing."""
        if event.problem:
            _log.warning("topic missing; going on without it", topic=event.topic, reason=event.problem)
        self._sink.topic(event.topic, event.problem, received_ns=received_ns)


def laid_over(table: Table, frame: TableFrame, rows: Sequence[Row] | None = None) -> list[Row]:
    """Lay a frame (or those of its rows that are given) over its table and return the whole rows it touched.

    Raises:
        TableBroken: If a row lacks a key column, or an update or delete finds no row.
    """
    return table.apply(frame.action, frame.rows if rows is None else rows, keys=frame.keys, covered=frame.covered)
