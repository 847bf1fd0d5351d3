"""Parameters of faults: what is taken, and with which reason the rest is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.faults.catalogue import CATALOGUE, kind_named
from connectors.simulated.engine.refusals import Refused


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_kind_takes_its_own_defaults(name: str) -> None:
    """What a fault would do anyway may be said."""
    kind = CATALOGUE[name]
    given = {one.name: str(one.default) if isinstance(one.default, Decimal) else one.default for one in kind.parameters}
    assert kind.read(given) == kind.read({})


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("request-late", {"ms": "soon"}, "ms must be a whole number, not 'soon'"),
        ("request-late", {"ms": -1}, "ms must be from 0 to 600000, not -1"),
        ("request-late", {"ms": True}, "ms must be a whole number, not True"),
        ("request-late", {"ms": "1.5"}, "ms must be a whole number, not '1.5'"),
        ("request-late", {"seconds": 1}, "fault request-late has no parameter 'seconds'; it takes ms"),
        ("gateway-error", {"executed": "maybe"}, "executed must be a true or false, not 'maybe'"),
        ("reply-lost", {"ending": "bang"}, "ending must be one of close, reset, hang, torn, not 'bang'"),
        ("price-moved", {"percent": "NaN"}, "percent must be a number, not 'NaN'"),
        ("trading-halt", {"x": 1}, "fault trading-halt has no parameter 'x'; it takes no parameters"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_reason(name: str, raw: dict[str, str | int], reason: str) -> None:
    """The text says which value is wrong and what it may be."""
    with pytest.raises(Refused) as refused:
        kind_named(name).read(raw)
    assert refused.value.message == reason


def test_texts_are_read_as_the_command_line_gives_them() -> None:
    """Numbers and truth values may come as texts."""
    read = kind_named("gateway-error").read({"status": "504", "executed": "yes"})
    assert (read["status"], read["executed"], read["form"]) == (504, True, "html")
    assert kind_named("price-pinned").read({"mark": "1.50"})["mark"] == Decimal("1.50")


def test_an_unknown_fault_names_its_neighbours() -> None:
    """A slip in the name leads to the right one."""
    with pytest.raises(Refused, match=r"near it are .*partial-late"):
        kind_named("partial-slow")
