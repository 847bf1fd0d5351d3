"""Topics that a session can do without: when to ask for them, and what became of them.

Why: wallet movements, the insurance fund and the liquidation feed are worth having and not worth a lost connection. So
they are asked for after everything else is there, each alone, so that an answer names one of them; and the session asks
here before it takes an error for its own.

Times are seconds on the session's steady clock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from connectors.bitmex.protocol.frames import Refused

_NEVER: Final = float("inf")
_PAUSE_S: Final = 5.0
"""Asked too fast: extras can wait longer than what the guard lives on."""
_ABOUT_A_TOPIC: Final = frozenset({400, 403, 404})


class Extras:
    """The extra topics of one connection. Each is to be asked, awaited, there, or given up."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._ask_at_s = dict.fromkeys(topics, 0.0)
        self._awaited: dict[str, float] = {}
        self._topics = frozenset(topics)
        self._there: set[str] = set()
        self.are_blamed = False
        """The connection ended over an error that may have been about one of them."""

    def due(self, now_s: float, *, answer_by_s: float) -> list[str]:
        """Return the topics to be asked for now; each is awaited until `answer_by_s`."""
        due = [topic for topic, at_s in self._ask_at_s.items() if now_s >= at_s]
        for topic in due:
            del self._ask_at_s[topic]
            self._awaited[topic] = answer_by_s
        return due

    def deadline_s(self) -> float:
        """Return when there is something to ask or to give up, infinity if never."""
        return min((*self._ask_at_s.values(), *self._awaited.values()), default=_NEVER)

    def arrived(self, table: str) -> list[tuple[str, str]]:
        """A partial came: return the topic with no problem if it is one of these and news, however late."""
        if table not in self._topics or table in self._there:
            return []
        self._awaited.pop(table, None)
        self._ask_at_s.pop(table, None)
        self._there.add(table)
        return [(table, "")]

    def is_there(self, topic: str) -> bool:
        """Whether the topic has had its partial."""
        return topic in self._there

    def doubted(self, topic: str) -> None:
        """The topic is no longer believed: its next partial is news."""
        self._there.discard(topic)

    def silent(self, now_s: float) -> list[tuple[str, str]]:
        """Return the topics that have had their time, with the problem. A partial that comes later still counts."""
        silent = [topic for topic, by_s in self._awaited.items() if now_s >= by_s]
        for topic in silent:
            del self._awaited[topic]
        return [(topic, "the venue sent nothing when asked for it") for topic in silent]

    def is_about(self, frame: Refused, *, is_live: bool) -> bool:
        """Whether an error is about extras: it names them, or it can be about nothing else that was asked."""
        if frame.topics:
            return self._topics.issuperset(frame.topics)
        if not is_live or not self._awaited or frame.operation not in {"", "subscribe"}:
            return False
        return frame.status in _ABOUT_A_TOPIC or bool(self._named(frame))

    def refused(self, frame: Refused, now_s: float) -> list[tuple[str, str]]:
        """Take a refusal and return the topics it is about, and why; those refused for their pace are asked again."""
        named: Collection[str] = frame.topics or self._named(frame) or tuple(self._awaited)
        for topic in named:
            self._awaited.pop(topic, None)
            self._there.discard(topic)
        if frame.status in {429, 503}:
            self._ask_at_s |= dict.fromkeys(named, now_s + (frame.retry_after_s or _PAUSE_S))
        return [(topic, f"refused: {frame.reason}") for topic in named]

    def blame(self) -> None:
        """The connection ends over an error that nobody can place."""
        self.are_blamed = bool(self._awaited)

    def _named(self, frame: Refused) -> list[str]:
        return [topic for topic in self._awaited if topic in frame.reason]
