"""Names of hosts, looked up beside the event loop (P10)."""

from __future__ import annotations

import socket
import threading

import pytest

from daemon.shell.alerts.channel import NotDelivered
from daemon.shell.alerts.look_up import LookUp


def refuse(thread: threading.Thread) -> None:
    """What Python says when the machine has no thread to spare."""
    raise RuntimeError("can't start new thread")


async def test_a_machine_without_a_thread_to_spare_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: the attempt is said to have failed, as any other, and the next one looks the name up."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    look_up = LookUp()
    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", refuse)
        with pytest.raises(NotDelivered, match="no thread"):
            await look_up.addresses("hook.example", 443)
    assert await look_up.addresses("hook.example", 443) == ("192.0.2.7",)


async def test_a_look_up_that_hangs_is_not_begun_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: one thread for each channel at most; whoever asks meanwhile is told so at once."""
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    look_up = LookUp()
    waits = look_up.addresses("hook.example", 443)
    waits.send(None)
    with pytest.raises(NotDelivered, match="hangs"):
        await look_up.addresses("hook.example", 443)
    waits.close()
