"""Log lines leave by a thread; a reader that hangs or went away costs lines, never the guard."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator

import pytest

from daemon.shell.log_writer import LogWriter

LINE = "x" * 99 + "\n"
MORE_THAN_A_PIPE = 2_000
"""Lines: twice what the kernel keeps for a pipe that nobody reads."""


class Pipe:
    """A pipe, with a reader that may go away."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self._is_read = True

    def leave(self) -> None:
        """Let the reader go away."""
        if self._is_read:
            self._is_read = False
            os.close(self.reader)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe whose number is free again only when no thread writes to it any more."""
    ends = Pipe()
    yield ends
    ends.leave()
    for thread in threading.enumerate():
        if thread.name == "log writer":
            thread.join(5)
    os.close(ends.writer)


def read_until(descriptor: int, accounted_for: int) -> tuple[list[str], int]:
    """Read until so many lines came or were told to be lost; return those that came, and how many did not."""
    came: list[str] = []
    lost = 0
    rest = b""
    while len(came) + lost < accounted_for:
        *lines, rest = (rest + os.read(descriptor, 65_536)).split(b"\n")
        told = [json.loads(line)["lost"] for line in lines if line.startswith(b"{")]
        came += [line.decode() for line in lines if not line.startswith(b"{")]
        lost += sum(told)
    return came, lost


def test_lines_arrive_in_order(pipe: Pipe) -> None:
    """The ordinary case: what was logged is read, and closing waits for it."""
    output = LogWriter(pipe.writer)
    for number in range(100):
        output.write(f"{number}\n")
    output.close()
    assert read_until(pipe.reader, 100) == ([str(number) for number in range(100)], 0)
    assert output.lines_lost == 0


def test_a_reader_that_hangs_does_not_hold_up_the_writer(pipe: Pipe) -> None:
    """`seawall run | less`, and less is stopped: writing goes on, lines are lost, and that is told when it reads on."""
    output = LogWriter(pipe.writer, limit_bytes=1_000)
    for _ in range(MORE_THAN_A_PIPE):
        output.write(LINE)
    assert output.lines_lost > 0
    _, told = read_until(pipe.reader, MORE_THAN_A_PIPE)
    assert told == output.lines_lost
    output.close()


def test_closing_does_not_wait_for_a_reader_that_hangs(pipe: Pipe) -> None:
    """The guard stops although nobody takes its last words."""
    output = LogWriter(pipe.writer)
    output.write(LINE * MORE_THAN_A_PIPE)
    output.close(timeout_s=0.01)


def test_a_reader_that_went_away_does_not_stop_the_guard(pipe: Pipe) -> None:
    """`seawall run | head`: the pipe is closed; lines are lost and counted, nothing is raised."""
    pipe.leave()
    output = LogWriter(pipe.writer)
    output.write(LINE)
    output.close()
    assert output.lines_lost == 1
