"""Faults of the tape: pinned, moved, frozen and bad prices, halts, outages, thin books."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.faults.catalogue import CATALOGUE
from connectors.simulated.engine.faults.kinds import Place
from connectors.simulated.engine.faulty_prices import EFFECTS
from connectors.simulated.engine.inputs import ClearFault, SetFault
from connectors.simulated.engine.refusals import Refused
from tests.unit.connectors.simulated.engine.desk import Desk, prices


def shown(desk: Desk, column: str = "markPrice", symbol: str = "XBTUSD") -> object:
    """A column of the instrument's row."""
    return next(row[column] for row in desk.exchange.instrument_rows() if row["symbol"] == symbol)


def test_every_fault_of_the_tape_has_its_effect() -> None:
    """The catalogue and the effects name the same faults."""
    assert set(EFFECTS) == {one.name for one in CATALOGUE.values() if one.place is Place.TAPE}


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("price-pinned", {"mark": "48000.5"}, {"markPrice": Decimal("48000.5"), "lastPrice": 51_000}),
        (
            "price-moved",
            {"percent": "-10"},
            {"markPrice": 45_900, "lastPrice": 45_900, "indicativeSettlePrice": 45_900},
        ),
        ("price-moved", {"percent": 10, "what": "mark"}, {"markPrice": 56_100, "lastPrice": 51_000}),
        ("mark-frozen", {}, {"markPrice": 50_000, "lastPrice": 51_000}),
        ("index-outage", {}, {"markPrice": 50_000, "lastPrice": 51_000, "indicativeSettlePrice": 50_000}),
        ("index-outage", {"mark": "last"}, {"markPrice": 51_000, "indicativeSettlePrice": 50_000}),
        ("bad-print", {}, {"markPrice": 51_000, "lastPrice": 40_800}),
        ("trading-halt", {}, {"markPrice": 51_000, "lastPrice": 50_000}),
    ],
)
def test_a_fault_bends_prices_and_clearing_it_heals(
    name: str, parameters: dict[str, str | int | bool], expected: dict[str, object]
) -> None:
    """The next step shows the fault; the one after its end shows the tape again."""
    desk = Desk()
    desk.apply(SetFault(name=name, parameters=parameters))
    desk.move(prices("XBTUSD", 51_000))
    assert {column: shown(desk, column) for column in expected} == expected
    desk.apply(ClearFault(name=name))
    desk.move(prices("XBTUSD", 52_000))
    assert [shown(desk), shown(desk, "lastPrice")] == [52_000, 52_000]


def test_a_halted_market_takes_no_order() -> None:
    """Orders are refused with the venue's words until trading goes on."""
    desk = Desk()
    desk.apply(SetFault(name="trading-halt", symbol="XBTUSD"))
    desk.move(prices("XBTUSD", 50_000), prices("ETHUSD", 3_000, half_spread="0.05"))
    with pytest.raises(Refused, match="Market is not open"):
        desk.place(100)
    assert desk.place(1, symbol="ETHUSD")["ordStatus"] == "Filled"


def test_a_thin_book_slips() -> None:
    """What traded at the touch now walks far."""
    before = Desk().place(100_000)["avgPx"]
    desk = Desk()
    desk.apply(SetFault(name="book-thin", parameters={"depth_percent": 1, "spread_times": 20}))
    desk.move(prices("XBTUSD", 50_000))
    after = desk.place(100_000)["avgPx"]
    assert isinstance(before, Decimal)
    assert isinstance(after, Decimal)
    assert after > before + 20


def test_a_bad_print_meets_all_contracts_of_its_step() -> None:
    """A fault of the tape is counted by steps, and two of a name may stand for two contracts."""
    desk = Desk()
    desk.apply(SetFault(name="bad-print", parameters={"percent": -50}))
    both = (prices("XBTUSD", 50_000), prices("ETHUSD", 3_000, half_spread="0.05"))
    desk.move(*both)
    assert [shown(desk, "lastPrice", symbol) for symbol in ("XBTUSD", "ETHUSD")] == [25_000, 1_500]
    desk.apply(SetFault(name="price-pinned", parameters={"mark": 1}, symbol="XBTUSD"))
    desk.apply(SetFault(name="price-pinned", parameters={"mark": 2}, symbol="ETHUSD"))
    desk.move(*both)
    assert [shown(desk, "markPrice", symbol) for symbol in ("XBTUSD", "ETHUSD")] == [1, 2]


def test_a_bad_print_is_one_print() -> None:
    """Only one step is off, unless more are asked for."""
    desk = Desk()
    desk.apply(SetFault(name="bad-print", parameters={"percent": -50}))
    seen = []
    for _ in range(3):
        desk.move(prices("XBTUSD", 50_000))
        seen.append(shown(desk, "lastPrice"))
    assert seen == [25_000, 50_000, 50_000]
