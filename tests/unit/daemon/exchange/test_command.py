"""From the command line to the settings of an exchange."""

from __future__ import annotations

import pytest

from daemon.cli import parser
from daemon.exchange.command import settings_of


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", True),
        ("--rows sparse --limits off --seed 5", True),
        ("--switch funding_by_protocol_clock=off", False),
        ("--speed 20", False),
        ("--clock tape", False),
        ("--scenario crash", False),
        ("--candles history.csv.gz", False),
        ("--market session.txt.gz", False),
    ],
)
def test_funding_keeps_to_the_venues_hours_where_time_is_real(options: str, expected: bool) -> None:
    """Calm prices in real time have no hours of their own; every other tape keeps its schedule."""
    settings = settings_of(parser().parse_args(["exchange", *options.split()]))
    assert settings.switches.funding_by_protocol_clock is expected
