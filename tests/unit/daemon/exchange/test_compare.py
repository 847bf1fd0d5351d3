"""Two snapshots, compared from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.simulated.server.settings import ExchangeSettings
from connectors.simulated.server.venue import Venue
from daemon.cli import main
from daemon.exit_codes import ExitCode
from tests.integration.exchange_client import prices


def test_a_difference_is_a_line_and_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same state is silence and 0; another mark is its path, both values, and 8."""
    venue = Venue(ExchangeSettings(), lambda: 1_000)
    venue.open({})
    for name, mark in (("a", 60_000), ("b", 60_000), ("c", 61_000)):
        venue.submit(prices(XBTUSD=mark))
        (tmp_path / name).write_bytes(venue.snapshot_file())
    a, c = (str(tmp_path / name) for name in "ac")
    assert main(["exchange", "compare", a, a]) == ExitCode.OK
    assert capsys.readouterr().out == ""
    assert main(["exchange", "compare", a, c]) == ExitCode.DIFFERENT
    assert '/Market/XBTUSD/mark: "60000" | "61000"\n' in capsys.readouterr().out
