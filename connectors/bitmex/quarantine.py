"""Frames that could not be understood: counted, a few of them kept, none of them fatal.

Why: whoever looks for the cause later (a new kind of frame, a proxy in between, a fault of ours) needs to know how many
there were, of which kind, and what one looked like; and the log must survive a venue that sends thousands. What is kept
of a frame is its shape: punctuation and the words of the protocol stay, every other letter becomes `a` and every digit
`9`, so neither a signature nor a balance can be in it.

Times are nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

import structlog

from connectors.bitmex.protocol.frames import Unread

SAMPLES_KEPT: Final = 16
SAMPLE_LENGTH: Final = 200
LOGGED_EVERY_NS: Final = 60 * 1_000_000_000
_WORD: Final = re.compile(r"[A-Za-z0-9_]+")
_PROTOCOL: Final = """
table action data keys filter types partial insert update delete order position margin execution instrument
wallet insurance liquidation symbol account currency orderID clOrdID execID side ordStatus execType ordType
currentQty orderQty leavesQty cumQty stopPx price markPrice liquidationPrice avgEntryPrice timestamp strategy
isOpen leverage walletBalance marginBalance availableMargin true false null success subscribe unsubscribe
request op args info version status error meta message name html head body title
"""
_WORDS: Final = frozenset(_WORD.findall(_PROTOCOL))

_log = structlog.get_logger("connectors.bitmex.quarantine")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What is left of a frame."""

    why: Unread
    at_ns: int
    length: int
    """Bytes of the whole frame."""
    shape: str


class Quarantine:
    """The unreadable frames of one stream, through all its connections."""

    def __init__(self, stream: str) -> None:
        """Begin empty; `stream` is named in the log."""
        self.counts: Counter[Unread] = Counter()
        self.samples: deque[Sample] = deque(maxlen=SAMPLES_KEPT)
        """The newest, of all kinds together."""
        self._stream = stream
        self._logged: dict[Unread, tuple[int, int]] = {}
        """When each kind was logged last, and how many there had been then."""

    @property
    def total(self) -> int:
        """How many there were since the start."""
        return self.counts.total()

    def put(self, why: Unread, raw: bytes, reason: str, *, received_ns: int) -> None:
        """Count a frame, keep its shape, and log it if its kind was not logged within the minute."""
        self.counts[why] += 1
        sample = Sample(why=why, at_ns=received_ns, length=len(raw), shape=shape_of(raw))
        self.samples.append(sample)
        logged_ns, logged = self._logged.get(why, (0, 0))
        if logged and 0 <= received_ns - logged_ns < LOGGED_EVERY_NS:
            return
        self._logged[why] = (received_ns, self.counts[why])
        _log.warning(
            "frame quarantined",
            stream=self._stream,
            kind=why.value,
            reason=reason,
            since_last=self.counts[why] - logged,
            length=sample.length,
            shape=sample.shape,
        )


def shape_of(raw: bytes) -> str:
    """Return the beginning of a frame with everything blanked that is not the protocol's own.

    Example:
        >>> shape_of(b'{"table":"order","data":[{"account":273093,"clOrdID":"sw-Xy1"')
        '{"table":"order","data":[{"account":999999,"clOrdID":"aa-aa9"'
    """
    beginning = raw[:SAMPLE_LENGTH].decode("ascii", "replace")
    printable = "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in beginning)
    return _WORD.sub(_blanked, printable)


def _blanked(word: re.Match[str]) -> str:
    if word[0] in _WORDS:
        return word[0]
    return "".join("9" if sign.isdigit() else "a" for sign in word[0])
