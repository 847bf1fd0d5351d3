"""The walk in the README, taken to the letter: every block of it is typed into one shell, one after the other."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from daemon.shell.control.client import DaemonUnreachable, ask_status

README = Path(__file__).resolve().parents[2] / "README.md"
DEADLINE_S = 60.0
POLL_S = 0.05


def free_port() -> int:
    """A port that nobody held a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def blocks(port: int) -> list[str]:
    """The commands of the section, with a port of our own."""
    section = README.read_text().split("\n## By hand\n")[1].split("\n## ")[0]
    return [block.replace("8800", str(port)) for block in re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)]


class Shell:
    """A shell that is typed into, in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "terminal.txt"
        bash = shutil.which("bash")
        assert bash is not None
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [bash], cwd=folder, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )

    def type(self, commands: str) -> None:
        """Type some lines."""
        assert self.process.stdin is not None
        self.process.stdin.write(commands.encode())
        self.process.stdin.flush()

    def words(self) -> str:
        """Everything the terminal shows."""
        return self.output.read_text()

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Look again and again, as a reader does, before typing on."""
        end_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < end_s, f"waited in vain: {what}; the terminal shows:\n{self.words()[-3000:]}"
            time.sleep(POLL_S)  # other processes have no event to wait for

    def end(self) -> int:
        """Leave the shell as Ctrl-D does, and make sure that nothing of it is left."""
        try:
            self.process.communicate(timeout=DEADLINE_S)
            return self.process.returncode
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill what is left of the session."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell in a folder that has a `.venv`, as a clone has one after `make demo`."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("SEAWALL_KEY", "SEAWALL_SECRET", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    typed = Shell(tmp_path)
    yield typed
    typed.kill()


def test_the_walk_works_to_the_letter(shell: Shell, tmp_path: Path) -> None:
    """A newcomer pastes block after block: the position is covered, its cancelled stop comes back, all ends well."""
    exchange, guard, bot, look, stop = blocks(free_port())
    door = tmp_path / "walk" / "seawall-state" / "control.sock"

    def status() -> dict[str, Any]:
        try:
            return ask_status(door)
        except DaemonUnreachable:
            return {}

    def stops() -> list[str]:
        return [order["client_order_id"] for row in status().get("positions", ()) for order in row["stops"]]

    shell.type(exchange + guard)
    shell.wait(lambda: status().get("mode") == "guarding", "the guard to guard")
    shell.type(bot)
    shell.wait(stops, "the position to be covered")
    (first,) = stops()
    shell.type(look)
    shell.wait(lambda: stops() not in ([], [first]), "the cancelled stop to be back")
    shell.wait(lambda: shell.words().count("XBTUSD  10000") == 2, "two looks at the position")
    shell.type(stop)
    assert shell.end() == 0
    words = shell.words()
    assert "problem" not in words
    assert "Traceback" not in words
    assert '"guard closed"' in (tmp_path / "walk" / "guard.log").read_text()
