"""The bytes of a message on the socket."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from connectors.simulated.server.messages import Kind, Message


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_the_frame_header_is_that_of_the_protocol(length: int) -> None:
    """Each of the three forms of the length, as another implementation writes an unmasked text frame."""
    payload = b"x" * length
    expected = Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert Message(kind=Kind.REPLY, payload=payload).framed == expected


def test_another_text_has_another_frame() -> None:
    """What a fault rewrites is framed anew."""
    message = Message(kind=Kind.DELTA, payload=b"{}")
    assert replace(message, payload=b"[1]").framed == b"\x81\x03[1]"
    assert message.framed == b"\x81\x02{}"
