"""Who may do what: the kernel's word on the socket, tokens over TCP."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from config.control import ControlSettings, Right, problem_of_control
from config.credentials import Secret
from config.secrets_from import CredentialsError
from config.tokens_from import load_tokens
from daemon.shell.control import rights
from daemon.shell.control.rights import Tokens, peer_of
from daemon.shell.control.server import TcpApi
from tests.asgi import bare_counter

READ, OPERATE = "r" * 32, "o" * 32
TOKENS = Tokens(read=Secret(READ), operate=Secret(OPERATE))


def test_the_guards_own_user_operates_and_others_do_what_the_group_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """P11: by the number that the kernel gives, not by what anybody says."""
    near, far = socket.socketpair()
    with near, far:
        caller = peer_of(near, group_may=Right.READ)
        assert (caller.name, caller.right) == (pwd.getpwuid(os.getuid()).pw_name, Right.OPERATE)
        monkeypatch.setattr(rights, "_GUARDS", frozenset({4_242_424}))
        assert not peer_of(near, group_may=Right.READ).may(Right.OPERATE)
        assert peer_of(near, group_may=Right.READ).may(Right.READ)
        assert peer_of(near, group_may=Right.OPERATE).may(Right.OPERATE)


@pytest.mark.parametrize(
    ("header", "right"),
    [
        (f"Bearer {READ}", Right.READ),
        (f"bearer  {OPERATE}", Right.OPERATE),
        (f"Bearer {READ[:-1]}", None),
        (f"Basic {OPERATE}", None),
        ("Bearer ", None),
        ("", None),
    ],
)
def test_a_token_is_shown_whole_or_it_is_none(header: str, right: Right | None) -> None:
    """No part of one, no other scheme, nothing empty."""
    caller = TOKENS.caller(header)
    assert (None if caller is None else caller.right) is right
    assert Tokens().caller(header) is None


def test_tokens_come_from_files_the_environment_or_systemd(tmp_path: Path) -> None:
    """The first place that has one; short ones, open files and equal ones are refused without showing them."""
    file = tmp_path / "read.token"
    file.write_text(READ)
    file.chmod(0o600)
    settings = ControlSettings(read_token_file=str(file))
    (tmp_path / "operate_token").write_text(OPERATE)
    read, operate = load_tokens(settings, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert (read, operate) == (Secret(READ), Secret(OPERATE))
    for problem, environ in (
        ("needs a token", {}),
        ("at least 16", {"SEAWALL_READ_TOKEN": "short"}),
        ("the same", {"SEAWALL_READ_TOKEN": READ, "SEAWALL_OPERATE_TOKEN": READ}),
    ):
        with pytest.raises(CredentialsError, match=problem) as refused:
            load_tokens(ControlSettings(), environ)
        assert READ not in str(refused.value)
    file.chmod(0o644)
    with pytest.raises(CredentialsError, match="chmod 600"):
        load_tokens(settings, {})


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (ControlSettings(group="traders"), "group"),
        (ControlSettings(listen="0.0.0.0:8791"), "listen"),
        (ControlSettings(listen="localhost"), "listen"),
        (ControlSettings(listen="127.0.0.1:99999"), "listen"),
        (ControlSettings(listen="127.0.0.1:8791"), None),
        (ControlSettings(listen="[::1]:8791"), None),
        (ControlSettings(listen="0.0.0.0:8791", allow_remote=True), None),
    ],
)
def test_nobody_listens_beyond_this_machine_by_mistake(settings: ControlSettings, key: str | None) -> None:
    """P11: only with allow_remote."""
    problem = problem_of_control(settings)
    assert (problem[0] if problem else None) == key


@asynccontextmanager
async def listening() -> AsyncIterator[TcpApi]:
    """An API on a free port of loopback."""
    api = TcpApi(("127.0.0.1", 0), bare_counter(), TOKENS)
    task = asyncio.create_task(api.run())
    async with asyncio.timeout(5):
        while api.problem:  # noqa: ASYNC110 - it says so itself, and has no event for it
            await asyncio.sleep(0.001)
    try:
        yield api
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def over_tcp(port: int, target: str, token: str = "", verb: str = "GET") -> bytes:
    """One request."""
    shown = f"Authorization: Bearer {token}\r\n" if token else ""
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{verb} {target} HTTP/1.1\r\nHost: x\r\n{shown}Idempotency-Key: 1\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
    return answer


async def test_over_tcp_a_token_decides() -> None:
    """None: 401 with what is needed, on every path; reading: no change; operating: passed on."""
    async with listening() as api:
        assert (await over_tcp(api.port, "/v1/state")).startswith(b"HTTP/1.1 401")
        assert (await over_tcp(api.port, "/v1/state", READ)).startswith(b"HTTP/1.1 200")
        assert (await over_tcp(api.port, "/v1/freeze", READ, "POST")).startswith(b"HTTP/1.1 403")
        assert (await over_tcp(api.port, "/v1/freeze", OPERATE, "POST")).startswith(b"HTTP/1.1 404")
        refused = await over_tcp(api.port, "/v1/state", "x" * 32)
        assert b"www-authenticate: Bearer" in refused
        assert b"x" * 32 not in refused.partition(b"\r\n\r\n")[2]
