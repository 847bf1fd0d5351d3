"""When people are told: what the settings refuse."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.alerting import AlertingPolicy, Level, RouteSettings, problems_of_routes
from config.checks import PolicyError


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"gather_s": Decimal(61)}, "alerting.gather_s"),
        ({"update_s": Decimal(-1)}, "alerting.update_s"),
        ({"repeat_emergency_s": Decimal(0)}, "alerting.repeat_emergency_s"),
        ({"acknowledged_for_s": Decimal(0)}, "alerting.acknowledged_for_s"),
        ({"quiet_from": "22:00"}, "alerting.quiet_until"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "alerting.quiet_until"),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "alerting.quiet_from"),
        ({"quiet_up_to": Level.EMERGENCY}, "alerting.quiet_up_to"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, object], name: str) -> None:
    """P10: no setting holds an emergency back or tells it never again."""
    with pytest.raises(PolicyError) as refused:
        AlertingPolicy(**changes)  # type: ignore[arg-type]  # names are checked
    assert refused.value.field == name


def test_levels_have_ranks_in_order() -> None:
    """From watch to emergency."""
    assert [level.rank for level in Level] == [1, 2, 3, 4]


def test_a_route_to_nowhere_is_a_problem() -> None:
    """A name that no channel has, "log" beside a channel, and an emergency that nobody would hear."""
    routes = RouteSettings(warn=("male",), critical=("log", "mail"), emergency=("log",))
    found = dict(problems_of_routes(routes, {"mail"}))
    assert found["routes.warn"] == "names no channel: male; channels are mail"
    assert set(found) == {"routes.warn", "routes.critical", "routes.emergency"}


def test_routes_of_nothing_are_all_channels() -> None:
    """The default, and a log alone where there is no channel at all."""
    assert RouteSettings().of("warn") == ()
    assert list(problems_of_routes(RouteSettings(), {"mail"})) == []
    assert list(problems_of_routes(RouteSettings(emergency=("log",)), set())) == []
