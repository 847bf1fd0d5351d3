"""Rows out of files and replies: read exactly, refused in one line with the place."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.vocabulary import ContractKind
from daemon.wire_rows import (
    RowsUnusable,
    built_in_listing,
    decoded,
    margins_of,
    orders_of,
    positions_of,
    read_json,
    read_listing,
    rows_in,
)


def test_the_built_in_table_lists_contracts_of_every_kind() -> None:
    """Indices, spot and spreads are left out; no row of it is unusable."""
    listed = built_in_listing()
    assert listed["XBTUSD"].instrument.kind is ContractKind.INVERSE
    assert listed["XBTUSDT"].instrument.kind is ContractKind.LINEAR
    assert listed["ETHUSD"].instrument.kind is ContractKind.QUANTO
    assert all(one.mark is None for one in listed.values())


def test_dated_contracts_of_the_table_expire() -> None:
    """What settles has a day; a perpetual has none."""
    listed = built_in_listing()
    assert listed["XBTUSD"].instrument.expires_ns == 0
    assert any(one.instrument.expires_ns for one in listed.values())


def test_numbers_are_read_exactly_and_gzip_is_unpacked(tmp_path: Path) -> None:
    """No binary floats on the way in."""
    file = tmp_path / "rows.json.gz"
    file.write_bytes(gzip.compress(b'{"price": 0.1}'))
    assert read_json(file) == {"price": Decimal("0.1")}


@pytest.mark.parametrize("content", [b"\x1f\x8bnot gzip", b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_refused_with_its_place(tmp_path: Path, content: bytes) -> None:
    """Cut off, empty, binary, nested without end."""
    file = tmp_path / "rows.json"
    file.write_bytes(content)
    with pytest.raises(RowsUnusable, match=r"rows\.json: ") as refusal:
        read_json(file)
    assert "\n" not in str(refusal.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The system's own words, in one line."""
    with pytest.raises(RowsUnusable, match="cannot be read"):
        read_listing(tmp_path)


def test_rows_name_their_place_and_symbol() -> None:
    """Which row of which table."""
    with pytest.raises(RowsUnusable, match=r"here: position 1 \(XBTUSD\): account is missing"):
        positions_of([{"symbol": "XBTUSD", "currentQty": 1}], "here")
    with pytest.raises(RowsUnusable, match=r"here: margin 1 \(XBt\): account is missing"):
        margins_of([{"currency": "XBt", "walletBalance": 1}], "here")
    with pytest.raises(RowsUnusable, match="here: order 1: orderID is missing"):
        orders_of([{}], "here")


def test_one_object_counts_as_one_row() -> None:
    """`GET /user/margin` answers with one object, the other tables with lists."""
    assert rows_in(decoded("{}", "here"), "here") == [{}]
    with pytest.raises(RowsUnusable, match="here: row 2 is not an object"):
        rows_in([{}, 1], "here")
