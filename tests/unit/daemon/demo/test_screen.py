"""What the demo shows while it runs."""

import io
import re

from daemon.demo.screen import BOLD, PLAIN, Line, LiveScreen, PlainScreen, Snapshot, choose_screen, fit, render


def a_snapshot(guarded: str = "held", *, alerts: tuple[str, ...] = (), mode: str = "guarding") -> Snapshot:
    line = Line(title="XBTUSD long", mark=100.0, liquidation=95.0, stop=97.5, guarded=guarded, unguarded="held")
    return Snapshot(
        tape_ms=0, progress=0.5, lines=(line,), mode=mode, switch="armed, 58 s", equity=(10**8, 10**8), alerts=alerts
    )


def test_plain_says_each_change_once() -> None:
    """Two equal snapshots print once; a stop and an alert each add one line."""
    out = io.StringIO()
    screen = choose_screen(out)
    assert isinstance(screen, PlainScreen)
    screen.show(a_snapshot())
    screen.show(a_snapshot())
    assert len(out.getvalue().splitlines()) == 2
    screen.show(a_snapshot("stopped at 97.5", alerts=("near",)))
    assert [line.split("  ", 1)[1] for line in out.getvalue().splitlines()[2:]] == [
        "XBTUSD long: guarded stopped at 97.5; unguarded held",
        "alert: near",
    ]
    assert "\x1b" not in out.getvalue()


def test_table_shows_room_and_fates() -> None:
    """The live table carries the distance to liquidation and both fates."""
    rows = "\n".join(render(a_snapshot("LIQUIDATED")))
    assert "5.00%" in rows
    assert "LIQUIDATED" in rows
    assert "switch armed, 58 s" in rows
    visible = re.sub(r"\x1b\[\d+m", "", rows)
    assert max(len(row) for row in visible.splitlines()) <= 80


def test_live_redraws_in_place() -> None:
    """The second drawing moves up by exactly the rows of the first."""
    out = io.StringIO()
    screen = LiveScreen(out)
    screen.show(a_snapshot())
    height = len(render(a_snapshot()))
    screen.show(a_snapshot())
    assert f"\x1b[{height}A" in out.getvalue()


def test_rows_are_cut_to_the_terminal_but_keep_their_colours() -> None:
    """A wrapped row would put the redrawn table a line too low each time."""
    assert fit(f"{BOLD}abc{PLAIN}def", 4) == f"{BOLD}abc{PLAIN}d"
    assert fit(f"{BOLD}abcdef{PLAIN}", 2) == f"{BOLD}ab{PLAIN}"
    assert fit("short", 80) == "short"
