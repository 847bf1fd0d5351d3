"""Topics of one connection that cannot be believed any more: when to ask for them anew, and when that is no use.

Why: a frame that cannot be read leaves its table with an unknown change, and the cure for that is a fresh partial. To
ask for one costs two messages over the open socket (unsubscribe, subscribe); to open another connection costs every
other table, some seconds of blindness and a place in the venue's count of connections. So each topic is asked for
anew at once, then after growing pauses, and only a topic that stays unreadable gives its connection up.

Times are seconds on the session's steady clock.

Source: www.bitmex.com/app/wsAPI (subscribing again to a topic that is subscribed brings an error and no partial;
topics asked for count against an hourly limit).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

PAUSES_S: Final = (0.0, 5.0, 30.0)
"""Before each attempt. With the time to connect this stays below the venue's limit of topics an hour."""
CALM_AFTER_S: Final = 60.0
"""A topic that was whole for so long starts with a short pause again."""
HOPELESS_PAUSE_S: Final = 10.0
"""How long to stay away after a connection that was given up over an unreadable topic."""
_NEVER: Final = float("inf")


class Redress:
    """What is doubted on one connection. A topic is to be asked for, or awaited, or believed."""

    def __init__(self) -> None:
        self._ask_at_s: dict[str, float] = {}
        self._answer_by_s: dict[str, float] = {}
        self._attempts: dict[str, int] = {}
        self._whole_at_s: dict[str, float] = {}

    @property
    def topics(self) -> frozenset[str]:
        """Every topic in doubt."""
        return frozenset(self._ask_at_s).union(self._answer_by_s)

    def doubt(self, topics: Collection[str], now_s: float) -> list[str]:
        """Doubt these topics, and return those of them that have been asked for often enough."""
        hopeless = []
        for topic in topics:
            if now_s - self._whole_at_s.pop(topic, now_s) > CALM_AFTER_S:
                self._attempts.pop(topic, None)
            if topic in self._ask_at_s:
                continue
            attempts = self._attempts.get(topic, 0)
            if attempts >= len(PAUSES_S):
                hopeless.append(topic)
                continue
            self._answer_by_s.pop(topic, None)
            self._ask_at_s[topic] = now_s + PAUSES_S[attempts]
        return hopeless

    def due(self, now_s: float, *, answer_by_s: float) -> list[str]:
        """Return the topics to be asked for now; each is awaited until `answer_by_s`."""
        due = [topic for topic, at_s in self._ask_at_s.items() if now_s >= at_s]
        for topic in due:
            del self._ask_at_s[topic]
            self._answer_by_s[topic] = answer_by_s
            self._attempts[topic] = self._attempts.get(topic, 0) + 1
        return due

    def silent(self, now_s: float) -> list[str]:
        """Return the topics whose partial has not come in time. They stay in doubt until told otherwise."""
        return [topic for topic, by_s in self._answer_by_s.items() if now_s >= by_s]

    def wait_longer(self, answer_by_s: float) -> None:
        """The venue asked for a pause: whatever is awaited may take until then."""
        self._answer_by_s = dict.fromkeys(self._answer_by_s, answer_by_s)

    def answered(self, topics: Collection[str], now_s: float) -> None:
        """The partials of these topics arrived: they are believed, whether they were asked for yet or not."""
        for topic in self.topics.intersection(topics):
            self.forget(topic)
            self._whole_at_s[topic] = now_s

    def forget(self, topic: str) -> None:
        """Nobody wants this topic any more."""
        self._ask_at_s.pop(topic, None)
        self._answer_by_s.pop(topic, None)

    def deadline_s(self) -> float:
        """Return when there is something to ask or to give up, infinity if never."""
        return min((*self._ask_at_s.values(), *self._answer_by_s.values()), default=_NEVER)
