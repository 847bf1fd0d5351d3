"""Choices by name: every one of them is listed, explained, and can be set."""

from __future__ import annotations

from enum import Enum

import pytest

from connectors.simulated.engine.switches import ClientIdReuse
from connectors.simulated.server.settings import ExchangeSettings
from daemon.exchange.switches import Choice, choices, with_switches, write_switches


def test_switches_of_every_part_are_set() -> None:
    """An engine's choice, a limit and a wire choice, each in its place."""
    settings = with_switches(
        ExchangeSettings(), ["client_id_reuse=when_closed", "orders_per_second=3", "expired_status=400"]
    )
    assert settings.switches.client_id_reuse is ClientIdReuse.WHEN_CLOSED
    assert (settings.limits.orders_per_second, settings.expired_status) == (3, 400)


@pytest.mark.parametrize("one", list(choices()), ids=lambda one: f"{one.part}.{one.name}")
def test_every_choice_can_be_set_to_each_of_its_values(one: Choice) -> None:
    """Whatever is added to the settings tomorrow can be set from the command line."""
    wanted = {bool: ["on", "off"], int: ["0", "7"], str: ["x"]}.get(one.kind, ["0.5"])
    if issubclass(one.kind, Enum):
        wanted = [str(member.value) for member in one.kind]
    before = ExchangeSettings()
    results = [with_switches(before, [f"{one.name}={value}"]) for value in wanted]
    assert any(result != before for result in results)


def test_the_list_explains(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, default, values and meaning, on lines that can be copied behind --switch."""
    write_switches()
    text = capsys.readouterr().out
    assert "close_shows_quantity=off    (on, off)\n    A Close order without a quantity" in text
    assert "client_id_reuse=never    (never, when_closed)\n    Which used `clOrdID`" in text
    assert "ban_after_refusals=20    (a whole number)\n    429s within" in text
    assert "expired_status=401    (a whole number)\n    HTTP status of a request" in text
