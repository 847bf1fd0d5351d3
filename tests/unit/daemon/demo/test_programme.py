"""What will be played, found out before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.demo.options import DemoOptions
from daemon.demo.programme import programme_of
from daemon.exit_codes import CommandFailed, ExitCode


def a_file(folder: Path, price: str) -> Path:
    """Write two bars that stand at a price."""
    bars = [f"2021-05-19T00:0{minute}:00Z,{price},{price},{price},{price},1\n" for minute in range(2)]
    file = folder / "candles.csv"
    file.write_text("open_time,open,high,low,close,volume\n" + "".join(bars))
    return file


@pytest.mark.parametrize("price", ["230", "69000", "299999.5"])
def test_prices_of_bitcoin_are_played(tmp_path: Path, price: str) -> None:
    """From the first year of XBTUSD to some time ahead."""
    programme = programme_of(DemoOptions(candles=a_file(tmp_path, price), speed="fit:5"))
    assert programme.end_ms - programme.start_ms == 120_000


@pytest.mark.parametrize("price", ["0.00000001", "42", "1000000"])
def test_prices_of_something_else_are_refused(tmp_path: Path, price: str) -> None:
    """A file of another coin: one line, rather than an order that the exchange refuses as too large."""
    with pytest.raises(CommandFailed, match=r"candles\.csv.*begins at a price of .* XBTUSD") as failed:
        programme_of(DemoOptions(candles=a_file(tmp_path, price), speed="fit:5"))
    assert failed.value.code is ExitCode.BAD_INPUT
