"""The control API without a socket: one request, its status and its body, from a caller who may do everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.bots import BotPolicy
from config.control import Right
from daemon.core.state import GuardState
from daemon.shell.bot_desk import BotDesk
from daemon.shell.control.application import application
from daemon.shell.control.counter import Answer, Counter
from daemon.shell.control.rights import Caller
from tests.fakes import ManualClock


class Connection:
    """What a served connection tells of its caller."""

    def __init__(self, right: Right | None, via: str = "socket") -> None:
        self._right = right
        self._via = via

    def caller(self, _authorization: str) -> Caller | None:
        return None if self._right is None else Caller(name="ada", right=self._right, via=self._via)

    def hold(self) -> bool:
        return True


def bare_counter(state: GuardState | None = None) -> Counter:
    """A guard that knows one bot, and takes no requests."""
    bots = BotDesk({"maker": BotPolicy(id_prefix="mm-")}, clock=ManualClock())

    async def describe() -> Answer:
        return {"mode": "waiting_for_venue"}

    return Counter(bots=bots, describe=describe, state=lambda: state)


async def asked(
    verb: str,
    path: str,
    *,
    query: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: bytes = b"",
    right: Right | None = Right.OPERATE,
    counter: Counter | None = None,
    via: str = "socket",
) -> tuple[int, bytes]:
    """Ask once; status and body of the answer."""
    scope = {
        "type": "http",
        "method": verb,
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query,
        "headers": list(headers),
        "state": {"connection": Connection(right, via)},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
    }
    told: list[dict[str, Any]] = []
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return left.pop() if left else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(dict(message))

    await application(counter or bare_counter())(scope, receive, send)
    content = b"".join(each.get("body", b"") for each in told)
    return int(told[0]["status"]), content
