"""`seawall calc row`: our figures beside the venue's for rows of any age, whole or not."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from daemon.calc.row import Answer, answers, write_rows
from daemon.exit_codes import CommandFailed, ExitCode

D = Decimal
TWO_TICKS = 48
"""The one recorded row whose bankruptcy price leaves two ticks open, the less likely of which is the venue's."""


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The recorded rows, as they are in the file."""
    return [json.loads(line) for line in (folder / "positions" / "real-rows.jsonl").read_text().splitlines()]


def asked(row: object) -> Answer:
    """The answer to one row."""
    (only,) = answers([json.dumps(row).encode()])
    return only


def a_row(position: Mapping[str, Any], instrument: Mapping[str, Any] | None = None, **margin: Any) -> dict[str, Any]:
    """A row of the linear contract of the worked example, long 4000 at 2000 with 5x."""
    return {
        "instrument": {
            "symbol": "ETHUSDT",
            "isInverse": False,
            "isQuanto": False,
            "multiplier": 10,
            "lotSize": 1000,
            "tickSize": 0.05,
            "settlCurrency": "USDt",
            "fundingRate": 0.0001,
            **(instrument or {}),
        },
        "position": {
            "account": 1,
            "symbol": "ETHUSDT",
            "currency": "USDt",
            "currentQty": 4000,
            "crossMargin": False,
            "leverage": 5,
            "initMarginReq": 0.2,
            "maintMarginReq": 0.01,
            "commission": 0.0005,
            "posCost": 80_000_000,
            "timestamp": "2022-06-01T12:00:00.000Z",
            "liquidationPrice": 1620.2,
            "bankruptPrice": 1600,
            **position,
        },
        "margin": margin or None,
    }


def test_every_recorded_row_comes_out_to_the_tick(real_data: Path) -> None:
    """Both prices are the venue's on all rows but one, where two ticks are possible and both are named."""
    found = [asked(row) for row in rows_of(real_data)]
    assert len(found) >= 27
    for answer in found:
        assert answer["bankruptcy_price"] == answer["reported_bankruptcy_price"], answer
        taken_over = answer["confidence"] == "derived"
        assert answer["bankruptcy_difference_ticks"] == (None if taken_over else 0), answer
        assert answer.get("taken_over") == (["bankruptPrice"] if taken_over else None)
        if answer["index"] == TWO_TICKS:
            assert answer["reported_liquidation_price"] in answer["possible_liquidation_prices"]  # type: ignore[operator]
            assert (answer["difference_ticks"], answer["confidence"]) == (1, "derived")
        else:
            assert answer["difference_ticks"] == 0, answer


def test_what_is_exact_is_said_to_be(real_data: Path) -> None:
    """Isolated rows and cross rows with their balance are exact; without it the figure is derived, and says so."""
    for row in rows_of(real_data):
        answer = asked(row)
        whole = row["margin"] is not None or not row["position"].get("crossMargin")
        assert answer["confidence"] == ("exact" if whole else "derived"), answer


def test_an_exact_figure_never_rests_on_a_cell_that_is_gone(real_data: Path) -> None:
    """P12: without any one cell the price is still the venue's, or it is not called exact, or there is none."""
    for row in rows_of(real_data):
        for table in ("position", "instrument"):
            for column in row[table]:
                less = {**row, table: {name: cell for name, cell in row[table].items() if name != column}}
                answer = asked(less)
                right = row["position"]["liquidationPrice"]
                if column == "liquidationPrice" or answer.get("liquidation_price") in {None, D(str(right))}:
                    continue
                assert answer["confidence"] in {"computed", "derived"}, (row["index"], column, answer)


def test_the_price_does_not_follow_what_the_row_reports(real_data: Path) -> None:
    """Another reported price changes the difference and nothing else of ours."""
    for row in rows_of(real_data):
        lied = {**row, "position": {**row["position"], "liquidationPrice": 12_345}}
        was, now = asked(row), asked(lied)
        assert (was["liquidation_price"], was["confidence"]) == (now["liquidation_price"], now["confidence"])
        assert now["reported_liquidation_price"] == 12_345


@pytest.mark.parametrize("kept", [("posInit", "posCross", "posLoss"), ("posMargin", "posInit"), ("maintMargin",), ()])
def test_margins_are_rebuilt_from_what_there_is(kept: tuple[str, ...]) -> None:
    """The worked example from parts of its margin columns: 1620.2 and 1600, and the columns rebuilt are named."""
    whole = {"posInit": 16_000_000, "posCross": 0, "posLoss": 0, "posMargin": 16_048_000, "maintMargin": 16_048_000}
    cells = {name: whole[name] for name in kept}
    answer = asked(a_row({"unrealisedPnl": 0, **cells}))
    assert (answer["liquidation_price"], answer["bankruptcy_price"]) == (D("1620.2"), D(1600))
    assert answer["difference_ticks"] == 0
    assert "posMaint" in answer["rebuilt"]  # type: ignore[operator]
    assert answer["confidence"] == ("computed" if answer.get("guessed") else "stated")


def test_numbers_may_come_as_text_floats_or_nonsense() -> None:
    """Quoted numbers are read, binary noise is taken off, what cannot be meant is named and left out."""
    cells = {
        "posCost": "80000000",
        "currentQty": 4000.0,
        "maintMarginReq": 0.010000000000000002,
        "crossMargin": "false",
    }
    answer = asked(a_row({**cells, "deleveragePercentile": "n/a", "posMaint": "lots"}))
    assert answer["liquidation_price"] == D("1620.2")
    assert answer["ignored"] == ["position.deleveragePercentile", "position.posMaint"]


def test_cross_of_today_needs_its_balance() -> None:
    """P12: not computable without the margin row, and the reason is named; with it, computed and not called exact."""
    cells = {
        "crossMargin": True,
        "posMargin": 800_000,
        "posMaint": 800_000,
        "maintMargin": 800_000,
        "strategy": "OneWay",
    }
    zeros = {"posInit": 0, "posComm": 0, "posCross": 0, "posLoss": 0, "unrealisedPnl": 0}
    bare = asked(a_row({**cells, **zeros}))
    assert (bare["liquidation_price"], bare["confidence"], bare["reason"]) == (None, None, "no_margin_row")
    assert bare["difference_ticks"] is None
    backed = asked(a_row({**cells, **zeros}, walletBalance=16_800_000, maintMargin=800_000, currency="USDt"))
    assert (backed["liquidation_price"], backed["confidence"], backed["engine"]) == (D(1600), "computed", "new")


@pytest.mark.parametrize(
    ("quantity", "wallet", "shown"), [(4000, 10**9, D(0)), (-4000, 10**12, D(1_000_000)), (-4000, 10**9, D(26_990))]
)
def test_the_end_of_the_range_is_what_the_venue_shows(quantity: int, wallet: int, shown: Decimal) -> None:
    """A covered long shows 0 and a covered short the highest price; both say that nothing in range liquidates."""
    sign = 1 if quantity > 0 else -1
    row = a_row(
        {
            "currentQty": quantity,
            "posCost": sign * 80_000_000,
            "crossMargin": True,
            "strategy": "OneWay",
            "posMargin": 400_000,
            "posMaint": 400_000,
            "maintMargin": 400_000,
            "posInit": 0,
            "posComm": 0,
        },
        walletBalance=wallet,
        currency="USDt",
        maintMargin=400_000,
    )
    answer = asked(row)
    assert answer["liquidation_price"] == shown
    assert answer["no_liquidation_in_range"] is (shown in {D(0), D(1_000_000)})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currentQty": 0}, "flat"),
        ({"isOpen": False}, "flat"),
        ({"currentQty": None}, "missing_fields"),
        ({"posCost": None}, "missing_fields"),
        ({"symbol": "XBTUSD"}, "wrong_row"),
        ({"strategy": "Long"}, "hedge_mode"),
    ],
)
def test_what_cannot_be_computed_says_why(change: dict[str, Any], reason: str) -> None:
    """P12: each has its name, its reported price beside it, and no figure of ours."""
    answer = asked(a_row(change))
    assert (answer["reason"], answer["liquidation_price"], answer["confidence"]) == (reason, None, None)


def test_without_a_tick_no_price_is_told() -> None:
    """A contract without tick size or multiplier."""
    assert asked(a_row({}, {"tickSize": None}))["reason"] == "no_contract"
    assert asked(a_row({}, {"multiplier": 0}))["reason"] == "no_contract"
    assert asked({"position": a_row({})["position"]})["reason"] == "no_contract"


def test_a_missing_multiplier_is_what_explains_the_worth() -> None:
    """Found from worth and mark, named as a guess, and never called exact; a worth that fits nothing leaves none."""
    seen = {"markPrice": 2000, "markValue": 80_000_000}
    answer = asked(a_row(seen, {"multiplier": None}))
    assert (answer["liquidation_price"], answer["confidence"]) == (D("1620.2"), "computed")
    assert "multiplier" in answer["guessed"]  # type: ignore[operator]
    assert asked(a_row({**seen, "markPrice": 1377}, {"multiplier": None}))["reason"] == "no_contract"


BAD_LINES = [
    b"{",
    b"[1, 2]",
    b'"text"',
    b"\xff\xfe",
    b"{}",
    b'{"position": 5}',
    b'{"position": {}, "instrument": []}',
    b'{"position": null}',
    b"[" * 100_000,
    b'{"position": {"currentQty": 1' + b"0" * 5000 + b"}}",
]


@pytest.mark.parametrize("line", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_has_its_line_and_stops_nothing(
    line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its number and what is wrong with it; the next line is answered, and the exit code tells."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n" + line + b"\n" + json.dumps(a_row({})).encode() + b"\n")
    assert write_rows(path) == ExitCode.BAD_INPUT
    *bad, good = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert bad
    assert all(answer["line"] == 2 and answer["error"] for answer in bad)
    assert (good["line"], good["liquidation_price"]) == (3, 1620.2)


def test_plain_packed_and_standard_input_read_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same line out of a file, a gzip file and a pipe; prices are JSON numbers, exact."""
    line = json.dumps(a_row({})).encode()
    (tmp_path / "a.jsonl").write_bytes(line)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line))
    assert write_rows(tmp_path / "a.jsonl") == write_rows(tmp_path / "a.jsonl.gz") == ExitCode.OK
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line)))
    assert write_rows(Path("-")) == ExitCode.OK
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == second == third
    assert '"liquidation_price":1620.2,' in first


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    """Missing, or broken in the middle."""
    with pytest.raises(CommandFailed, match="cannot read"):
        write_rows(tmp_path / "none.jsonl")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"{}\n" * 1000)[:30])
    with pytest.raises(CommandFailed, match="cannot read"):
        write_rows(tmp_path / "broken.gz", summary=True)


def test_the_summary_counts_what_is_exact_by_type(real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each kind of row, and one for all."""
    assert write_rows(real_data / "positions" / "real-rows.jsonl", summary=True) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["type", "rows", "compared", "exact", "share"]
    assert any("inverse short isolated legacy engine, exact" in line and "100 %" in line for line in lines)
    assert lines[-1].split()[:4] == ["all", "27", "27", "26"]


def a_cross_row(position: Mapping[str, Any] | None = None, **margin: Any) -> dict[str, Any]:
    """The worked example as a cross row of the legacy engine, alone in its account, nothing lost yet."""
    cells = {
        "crossMargin": True,
        "initMarginReq": 0.01,
        "leverage": 100,
        "unrealisedPnl": 0,
        "unrealisedCost": 80_000_000,
    }
    own = {
        "posInit": 800_000,
        "posComm": 40_400,
        "posCross": 0,
        "posLoss": 0,
        "posMaint": 840_400,
        "posMargin": 840_400,
    }
    whole = {"currency": "USDt", "walletBalance": 10_000_000, "unrealisedPnl": 0, "marginBalance": 10_000_000}
    free = {
        "initMargin": 0,
        "maintMargin": 840_400,
        "availableMargin": 9_159_600,
        "timestamp": "2022-06-01T12:00:00.100Z",
    }
    shown = {"maintMargin": 840_400, "liquidationPrice": None, "bankruptPrice": None}
    return a_row({**cells, **own, **shown, **(position or {})}, **{**whole, **free, **margin})


def test_a_cross_row_with_its_balance() -> None:
    """A = floor(9,159,600 / 1.0005) = 9,155,022; worth 70,844,978 at liquidation: 1771.15."""
    answer = asked(a_cross_row())
    assert (answer["liquidation_price"], answer["confidence"]) == (D("1771.15"), "stated")
    assert "notes" not in answer


@pytest.mark.parametrize("gone", ["initMargin", "maintMargin", "availableMargin", "marginBalance", "walletBalance"])
def test_a_gap_of_the_margin_row_is_filled_by_its_sums(gone: str) -> None:
    """Any one cell of it follows from the others: same price, and the cell is named."""
    answer = asked(a_cross_row(**{gone: None}))
    assert answer["liquidation_price"] == D("1771.15")
    assert answer["confidence"] == "stated"


def test_a_margin_row_without_its_sums_is_no_witness() -> None:
    """P12: open orders' margin is supposed to be nothing where no sum tells, and the figure says so."""
    answer = asked(a_cross_row(initMargin=None, availableMargin=None))
    assert (answer["guessed"], answer["confidence"]) == (["margin.initMargin"], "computed")


def test_a_margin_row_of_another_instant_is_not_called_exact() -> None:
    """P12: a minute later, other positions moved too, and no bankruptcy price bears it out."""
    later = {"timestamp": "2022-06-01T12:01:00.000Z", "maintMargin": 900_000, "availableMargin": 9_100_000}
    answer = asked(a_cross_row(**later))
    assert answer["confidence"] == "computed"
    assert "not known to be of one instant" in str(answer["notes"])


def test_other_positions_in_the_margin_row_count() -> None:
    """At the same instant the row stands as it is, however little the others lock."""
    answer = asked(a_cross_row(maintMargin=845_400, availableMargin=9_154_600))
    assert answer["confidence"] == "stated"
    assert answer["liquidation_price"] == D("1771.25")


def test_an_unknown_fee_is_found_in_the_reserve() -> None:
    """Without the row's commission and the contract's fee the reserve tells it; a guess."""
    answer = asked(a_cross_row({"commission": None}))
    assert (answer["liquidation_price"], answer["guessed"]) == (D("1771.15"), ["commission"])


@pytest.mark.parametrize(
    ("position", "instrument", "missing"),
    [
        ({"currentQty": None}, {}, ["position.currentQty"]),
        ({"posCost": None}, {}, ["position.posCost", "position.avgEntryPrice"]),
        ({"maintMarginReq": None}, {}, ["position.posMaint", "position.maintMarginReq"]),
        ({}, {"tickSize": None}, ["instrument.tickSize"]),
        ({}, {"multiplier": None, "tickSize": None}, ["instrument.multiplier", "instrument.tickSize"]),
        ({"crossMargin": True, "bankruptPrice": None}, {}, ["margin.walletBalance"]),
    ],
)
def test_what_is_missing_is_named(position: dict[str, Any], instrument: dict[str, Any], missing: list[str]) -> None:
    """P12: no figure, and the columns that would have given one."""
    answer = asked(a_row(position, instrument))
    assert (answer["liquidation_price"], answer["missing"]) == (None, missing)


def test_no_maintenance_told_is_not_none_needed() -> None:
    """P12: liquidation never lies beyond bankruptcy, with the column gone or zero."""
    for cell in (None, 0):
        answer = asked(a_row({"posMaint": cell, "posMargin": 16_048_000, "posComm": 48_000, "posInit": 16_000_000}))
        assert (answer["liquidation_price"], answer["bankruptcy_price"]) == (D("1620.2"), D(1600))


@pytest.mark.parametrize(
    ("column", "cell"), [("posCost", None), ("unrealisedCost", None)], ids=["entry cost", "base of the profit"]
)
def test_the_two_costs_are_one_until_profit_was_realised(column: str, cell: None) -> None:
    """Before April 2023 one stands for the other; later that is a guess."""
    costs = {"posCost": 80_000_000, "unrealisedCost": 80_000_000, column: cell, "initMarginReq": None}
    whole = {"posInit": 16_000_000, "posComm": 48_000, "posCross": 0, "posMargin": 16_048_000, "posMaint": 856_000}
    before = asked(a_row({**costs, **whole}))
    after = asked(a_row({**costs, **whole, "timestamp": "2023-06-01T00:00:00.000Z"}))
    assert before["liquidation_price"] == after["liquidation_price"] == D("1620.2")
    assert (before["confidence"], after["confidence"]) == ("stated", "computed")


@pytest.mark.parametrize(("shown", "ticks"), [(None, 0), ("", 0), (0, 0), (0.05, 0), (1620.2, -32404)])
def test_a_long_without_liquidation_agrees_with_every_way_of_saying_so(shown: object, ticks: int) -> None:
    """Null, zero and the lowest tick are one answer; a price is a difference, a column left out is none."""
    whole = {"posInit": 80_000_000, "posComm": 0, "posCross": 9_000_000, "posMargin": 89_000_000, "posMaint": 400_000}
    row = a_row({**whole, "liquidationPrice": shown, "bankruptPrice": shown})
    answer = asked(row)
    assert (answer["liquidation_price"], answer["no_liquidation_in_range"]) == (0, True)
    assert answer["difference_ticks"] == answer["bankruptcy_difference_ticks"] == ticks
    del row["position"]["liquidationPrice"]
    assert asked(row)["difference_ticks"] is None


@pytest.mark.parametrize("shown", [None, 0, 1_000_000, 100_000_000])
@pytest.mark.parametrize("stamp", ["2022-06-01T12:00:00.000Z", "2025-06-01T12:00:00.000Z"])
def test_a_covered_short_agrees_with_every_way_of_saying_so(shown: object, stamp: str) -> None:
    """On both engines, whichever end of the range the row shows."""
    inverse = {"symbol": "XBTUSD", "isInverse": True, "multiplier": -100_000_000, "lotSize": 100, "tickSize": 0.5}
    cells = {
        "symbol": "XBTUSD",
        "currentQty": -1000,
        "posCost": 2_000_000,
        "posInit": 2_000_000,
        "posMargin": 2_000_000,
    }
    none = {"posComm": 0, "posCross": 0, "posLoss": 0, "posMaint": 0, "initMarginReq": 1, "leverage": 1}
    ends = {"liquidationPrice": shown, "bankruptPrice": None, "timestamp": stamp}
    answer = asked(a_row({**cells, **none, **ends}, {**inverse, "maxPrice": 1_000_000}))
    assert (answer["difference_ticks"], answer["no_liquidation_in_range"]) == (0, True)


def test_an_end_of_the_range_that_nobody_told_is_not_exact() -> None:
    """P12: without `maxPrice` the figure shown for "never" is a guess; a row that tells no engine is one as well."""
    inverse = {"symbol": "XBTUSD", "isInverse": True, "multiplier": -100_000_000, "lotSize": 100, "tickSize": 0.5}
    cells = {
        "symbol": "XBTUSD",
        "currentQty": -1000,
        "posCost": 2_000_000,
        "posInit": 2_000_000,
        "posMargin": 2_000_000,
    }
    none = {"posComm": 0, "posCross": 0, "posLoss": 0, "posMaint": 0, "initMarginReq": 1, "leverage": 1}
    today = asked(a_row({**cells, **none, "timestamp": "2025-06-01T12:00:00.000Z"}, inverse))
    undated = asked(a_row({**cells, **none, "timestamp": None}, {**inverse, "maxPrice": 1_000_000}))
    assert (today["engine"], today["confidence"]) == ("new", "computed")
    assert "maxPrice" in today["guessed"]  # type: ignore[operator]
    assert undated["confidence"] == "computed"
    assert "engine" in undated["guessed"]  # type: ignore[operator]


@pytest.mark.parametrize("stamp", [1_654_084_800, 1_654_084_800_000, 1_654_084_800_000_000, "2022-06-01 12:00:00"])
def test_times_of_databases_are_read(stamp: object) -> None:
    """Seconds, milliseconds and microseconds since 1970, and a time without the letter between."""
    answer = asked(a_row({"timestamp": stamp}))
    assert (answer["engine"], answer.get("ignored")) == ("legacy", None)
    assert "engine" not in answer["guessed"]  # type: ignore[operator]


def test_a_row_that_does_not_name_its_mode_shows_it_or_is_a_guess() -> None:
    """P12: the mode whose bankruptcy price is the row's own; without one nothing is called exact."""
    whole = {"posInit": 16_000_000, "posComm": 48_000, "posCross": 0, "posMargin": 16_048_000, "posMaint": 856_000}
    less = {**whole, "crossMargin": None, "unrealisedCost": 80_000_000}
    shown = asked(a_row(less))
    hidden = asked(a_row({**less, "bankruptPrice": None}))
    assert (shown["margin_mode"], shown["confidence"]) == ("isolated", "stated")
    assert (hidden["guessed"], hidden["confidence"]) == (["crossMargin"], "computed")


def test_a_row_that_contradicts_itself_is_not_exact() -> None:
    """P12: its margins give another bankruptcy price than it shows."""
    whole = {"posInit": 16_000_000, "posComm": 48_000, "posCross": 0, "posMargin": 19_048_000, "posMaint": 856_000}
    answer = asked(a_row({**whole, "unrealisedCost": 80_000_000}))
    assert answer["confidence"] == "computed"
    assert "does not follow" in str(answer["notes"])


def test_several_objects_of_a_line_are_answered_each() -> None:
    """A list, objects in a row, and objects with commas between."""
    one = json.dumps(a_row({}))
    for text in (f"[{one}, {one}]", f"{one}{one}", f"{one} {one}", f"{one}, {one},"):
        assert [answer["liquidation_price"] for answer in answers([text.encode()])] == [D("1620.2")] * 2


def test_every_answer_has_the_promised_names() -> None:
    """Whole rows, rows without an answer, rows of another symbol, and lines that are none."""
    names = {"liquidation_price", "bankruptcy_price", "reported_liquidation_price", "difference_ticks", "engine"}
    rows = [a_row({}), a_row({"currentQty": 0}), a_row({"symbol": "XBTUSD"}), a_row({}, {"tickSize": None}), 5, {}]
    for row in rows:
        assert names | {"confidence"} <= asked(row).keys(), row


@pytest.mark.parametrize("lot", [10, 100, 1000, 0, None])
def test_a_lot_that_cannot_be_is_not_believed(lot: int | None, real_data: Path) -> None:
    """P12: the contract's table of today beside a row of 2019: the lot that explains the row's worth, and a guess."""
    row = rows_of(real_data)[8]
    answer = asked({**row, "instrument": {**row["instrument"], "lotSize": lot}})
    assert (answer["difference_ticks"], answer["confidence"], answer["guessed"]) == (0, "computed", ["lotSize"])
