"""What a session says to its client: one message, ready to be written to any number of sockets.

Why: a server does not mask, so the bytes of a text message on a WebSocket are the same for everyone
who reads it; they are made once, when first needed. And everything a session says is of this one
kind, so that a fault can look at it, drop it, hold it or say something else instead.

Source: RFC 6455, section 5.2 (frame header), www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import msgspec

_FINAL_TEXT = 0x81  # a whole text message in one frame
_SHORT, _MEDIUM = 125, 0xFFFF  # bytes that fit the two smaller forms of the length
_SIXTEEN_BITS, _SIXTY_FOUR_BITS = 126, 127


class Action(Enum):
    """What a frame does to the client's copy of a table."""

    PARTIAL = "partial"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Kind(Enum):
    """What a message is for."""

    WELCOME = "welcome"
    REPLY = "reply"
    ERROR = "error"
    PARTIAL = "partial"
    DELTA = "delta"
    PONG = "pong"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One text message to a client; a struct, because tens of thousands are made in a second.

    Attributes:
        kind: What it is for.
        payload: The text, UTF-8.
        table: Table of a partial or delta.
        account: Owner of its rows, None for public tables.
        symbol: Instrument of all its rows, None where there is none or several.
        action: What a partial or delta does.
        framed: The bytes on the socket: an unmasked frame header, then the text. Made here, never given.
    """

    kind: Kind
    payload: bytes
    table: str | None = None
    account: int | None = None
    symbol: str | None = None
    action: Action | None = None
    framed: bytes = b""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "framed", _header(len(self.payload)) + self.payload)


def _header(length: int) -> bytes:
    if length <= _SHORT:
        return struct.pack("!BB", _FINAL_TEXT, length)
    if length <= _MEDIUM:
        return struct.pack("!BBH", _FINAL_TEXT, _SIXTEEN_BITS, length)
    return struct.pack("!BBQ", _FINAL_TEXT, _SIXTY_FOUR_BITS, length)


class Target(Protocol):
    """A session as a fault sees it."""

    @property
    def number(self) -> int:
        """Count of sessions since the start, from 1."""

    @property
    def address(self) -> str:
        """Where the client comes from."""

    @property
    def account(self) -> int | None:
        """Who has signed in."""

    @property
    def key_id(self) -> str | None:
        """With which key."""

    def release(self, message: Message) -> None:
        """Say this now, whatever faults there are: what was held back, or never was."""

    def expire(self, table: str | None = None) -> None:
        """End private subscriptions with status 419 and leave the socket open."""

    def hang_up(self, code: int | None) -> None:
        """Close with this code; None breaks off in the middle of a frame."""


class Interference(Protocol):
    """What goes wrong between a session and its client."""

    def pass_on(self, session: Target, message: Message) -> Sequence[Message]:
        """Return what is to be said instead, now: nothing, the message, it twice, others."""

    def loses_sign_in(self, session: Target) -> bool:
        """Return whether this sign-in, good as it is, gets lost without a word."""
