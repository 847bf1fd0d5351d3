"""Lines that fit a terminal: colours count for nothing, never spill over, and are left out where nobody wants them."""

from __future__ import annotations

import io

import pytest

from daemon.console.paint import Paint, cropped, is_live_terminal, paint_for, plain, width_of


class Terminal(io.StringIO):
    """A stream that says it is one."""

    encoding = "UTF-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "has_colour"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({}, False)],
)
def test_colour_is_for_terminals_that_want_it(environ: dict[str, str], *, has_colour: bool) -> None:
    """NO_COLOR and a terminal that knows none are heeded; a pipe gets none."""
    assert paint_for(Terminal(), environ).has_colour is has_colour
    assert not paint_for(io.StringIO(), environ).has_colour
    assert not is_live_terminal(io.StringIO(), environ)


def test_a_cropped_line_keeps_its_colours_to_itself() -> None:
    """Columns are counted without codes, and the style ends with the line."""
    line = Paint(has_colour=True).style("liquidation", "red") + " 57413.9"
    assert width_of(line) == len("liquidation 57413.9")
    short = cropped(line, 6)
    assert width_of(short) == 6
    assert short.endswith("\x1b[0m")
    assert cropped(line, 100) == line


def test_words_of_others_cannot_move_the_cursor() -> None:
    """A client order id may hold anything."""
    assert plain("\x1b[2Jqt-1\r\n") == "?[2Jqt-1??"


def test_a_bar_is_as_long_as_it_is_said_to_be() -> None:
    """Whatever part is asked for, beyond both ends too."""
    for part in (-1.0, 0.0, 0.33, 1.0, 7.0):
        assert width_of(Paint(has_colour=True).bar(part, 12, "red")) == 12
