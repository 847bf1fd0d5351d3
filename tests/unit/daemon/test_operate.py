"""The command lines with which a person tells the daemon what to do."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from daemon import operator_client
from daemon.cli import main, parser
from daemon.exit_codes import ExitCode


@pytest.mark.parametrize(
    "words",
    [
        ("lift",),
        ("lift", "daily_loss", "--all"),
        ("stop", "XBTUSD"),
        ("stop", "XBTUSD", "abc"),
        ("stop", "XBTUSD", "-5"),
        ("stop", "XBTUSD", "NaN"),
        ("stop", "XBTUSD", "5", "--clear"),
        ("freeze", "XBTUSD"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_the_command_line(words: tuple[str, ...]) -> None:
    """Nothing is guessed: a missing name, a price that is none, two wishes at once."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([*words, "--socket", "s"])
    assert ended.value.code == ExitCode.USAGE


def test_a_price_is_read_exactly() -> None:
    """Decimals, not floats."""
    assert parser().parse_args(["stop", "XBTUSD", "58500.5", "--socket", "s"]).price == Decimal("58500.5")


def test_where_the_daemon_is_has_to_be_said() -> None:
    """Without settings or socket there is nobody to tell."""
    with pytest.raises(SystemExit):
        parser().parse_args(["freeze"])


def test_clearing_a_price_loosens_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P3: --clear and --loosen together are a misunderstanding, and said to be one."""
    words = ["stop", "XBTUSD", "--clear", "--loosen", "--socket", str(tmp_path / "s")]
    assert main(words) == ExitCode.USAGE
    assert "loosens nothing" in capsys.readouterr().err


def test_without_a_daemon_the_exit_code_says_so(tmp_path: Path) -> None:
    """Tried three times, under one id."""
    assert main(["freeze", "--socket", str(tmp_path / "s")]) == ExitCode.VENUE_UNREACHABLE


def test_what_cannot_work_stands_below_what_a_reload_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator reads it where the answer is, not only in a log."""
    answer = {"done": "in force now", "changes": ["a: 1 -> 2"], "warnings": ["a = 2 is too much"], "on_disk": True}
    monkeypatch.setattr(operator_client, "call", lambda *_arguments, **_options: (200, answer))
    assert main(["reload", "--socket", str(tmp_path / "s")]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines() == ["in force now", "  a: 1 -> 2", "  cannot work: a = 2 is too much"]
