"""An answer that comes a second time is read as the answer to the next request: tell it from a new one.

Why: HTTP/1.1 answers carry no name. Where something on the way repeats one, every later answer on that connection
belongs to the request before, and "no such order" may be the word about another order (P5). Two answers of the venue
differ in their bytes, because each takes a token of the budget that its headers count; so one that is the same to the
last byte as one before is no answer to what was asked now, and its connection is no good any more. A page of something
on the way counts nothing, so its repeat cannot be told: its connection is given up at once.

Source: www.bitmex.com/app/restAPI (`x-ratelimit-remaining`, `x-ratelimit-reset`).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from connectors.bitmex.protocol.refusals import Answer

_REMEMBERED: Final = 32
_COUNTING: Final = ("x-request-id", "x-ratelimit-remaining")
"""Without one of these two answers may be the same by right."""


class Echoes:
    """The answers met lately."""

    def __init__(self) -> None:
        self._met: deque[int] = deque(maxlen=_REMEMBERED)

    def is_repeated(self, answer: Answer) -> bool:
        """Whether this very answer, head and body, has come before; it is remembered."""
        if not _is_counted(answer):
            return False
        mark = hash((answer.status, tuple(sorted(answer.headers.items())), answer.body))
        if mark in self._met:
            return True
        self._met.append(mark)
        return False


def is_from_between(answer: Answer) -> bool:
    """Whether something on the way seems to have answered: no count in the head, and an error, or a page for people.

    Nobody can tell a repeat of it, so the connection that it came on is no good any more, whether there is one or not.
    """
    return not _is_counted(answer) and (answer.status >= 300 or "html" in answer.headers.get("content-type", ""))


def _is_counted(answer: Answer) -> bool:
    return any(name in answer.headers for name in _COUNTING)
