"""How an answer leaves: whole over ASGI, or lost, torn, doubled or never over the connection below.

Why: a broken connection leaves the outcome of a request unknown, and a client has to live with each way
it can break. ASGI cannot break one, so this looks at the transport.

Units: none. Source: RFC 9112 for what a torn answer looks like.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from connectors.simulated.server.fates import Ending, Reply
from connectors.simulated.server.rest.arrivals import Receive, Send

Lines = Callable[[object], asyncio.Transport | None]
_LINGER_NOT = struct.pack("ii", 1, 0)  # close sends a reset, and nothing that waits


async def leave(reply: Reply, ending: Ending, line: asyncio.Transport | None, receive: Receive, send: Send) -> None:
    """Send an answer.

    Args:
        reply: The answer.
        ending: How it leaves; as a whole if there is no line to break.
        line: The connection below.
        receive: Tells when the client has gone.
        send: Takes the answer.
    """
    if line is None or ending in {Ending.WHOLE, Ending.TWICE}:
        await _send(reply, send)
        if line is not None and ending is Ending.TWICE:
            line.write(_raw(reply))
        return
    match ending:
        case Ending.TORN:
            line.write(_raw(reply)[: -max(1, len(reply.body) // 2)])
            line.close()
        case Ending.LOST:
            line.close()
        case Ending.RESET:
            _reset(line)
        case _:
            pass
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(reply: Reply, send: Send) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": _head(reply)})
    await send({"type": "http.response.body", "body": reply.body})


def _head(reply: Reply) -> list[tuple[bytes, bytes]]:
    head = [(b"content-type", reply.content_type.encode()), (b"content-length", b"%d" % len(reply.body))]
    head += [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    return head


def _raw(reply: Reply) -> bytes:
    lines = [b"HTTP/1.1 %d -" % reply.status, *(b"%s: %s" % one for one in _head(reply))]
    return b"\r\n".join(lines) + b"\r\n\r\n" + reply.body


def _reset(line: asyncio.Transport) -> None:
    below = line.get_extra_info("socket")
    if below is not None:
        below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    line.abort()
