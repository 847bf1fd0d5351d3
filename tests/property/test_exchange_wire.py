"""Whatever happens, a client that applies our frames from its partial on holds what the exchange last published."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.engine.changes import Cell, Change, Row
from connectors.simulated.server.json_text import plain
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.tables import TABLES
from connectors.simulated.server.wire import Frame, Mirror, partial_message, shaped

TABLE = TABLES["liquidation"]

prices = st.none() | st.decimals(min_value=0, max_value=100_000, places=1, allow_nan=False)
cells = st.fixed_dictionaries(
    {"side": st.sampled_from(["Buy", "Sell", ""]), "price": prices, "leavesQty": st.integers()}
)
events = st.tuples(st.integers(0, 3), cells, st.booleans())


def change(number: int, columns: dict[str, Cell], *, is_delete: bool) -> Change:
    """Return what becomes of a row."""
    row: Row = {"orderID": str(number), "symbol": "XBTUSD", **columns}
    return Change(table=TABLE.name, account=None, row=row, is_delete=is_delete)


class Client:
    """The delta protocol as the vendor describes it, for one table."""

    def __init__(self, partial: dict[str, Any]) -> None:
        self.keys = partial["keys"]
        self.rows = {self.key(row): row for row in partial["data"]}

    def key(self, row: dict[str, Any]) -> tuple[Any, ...]:
        """Return what identifies a row."""
        return tuple(row[name] for name in self.keys)

    def apply(self, frame: dict[str, Any]) -> None:
        """Lay one frame over the rows."""
        for row in frame["data"]:
            match frame["action"]:
                case "insert":
                    assert self.key(row) not in self.rows
                    self.rows[self.key(row)] = row
                case "update":
                    self.rows[self.key(row)] = {**self.rows[self.key(row)], **row}
                case "delete":
                    del self.rows[self.key(row)]


def spoken(frame: Frame) -> dict[str, Any]:
    """Return a frame as a client reads it."""
    return json.loads(frame.message().payload, parse_float=Decimal)


def filled(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without what says nothing."""
    return {name: value for name, value in row.items() if value not in (None, "")}


@given(before=st.lists(events), after=st.lists(events), style=st.sampled_from(RowStyle))
def test_a_client_that_joins_in_the_middle_holds_the_same_rows(
    before: list[Any], after: list[Any], style: RowStyle
) -> None:
    """In both styles, whenever it joined; columns that became empty are empty at the client, too."""
    mirror = Mirror(style)
    mirror.frames([change(number, columns, is_delete=gone) for number, columns, gone in before])
    image = [shaped(row, TABLE, style) for row in mirror.rows(TABLE.name, None)]
    partial = partial_message(TABLE, image, account=None, symbol=None, style=style)
    client = Client(json.loads(partial.payload, parse_float=Decimal))
    present = {row["orderID"] for row in mirror.rows(TABLE.name, None)}
    for number, columns, gone in after:
        if gone and str(number) not in present:
            continue
        (present.discard if gone else present.add)(str(number))
        for frame in mirror.frames([change(number, columns, is_delete=gone)]):
            client.apply(spoken(frame))
    ours = {row["orderID"]: filled(plain(row)) for row in mirror.rows(TABLE.name, None)}  # type: ignore[arg-type]
    theirs = {row["orderID"]: filled(row) for row in client.rows.values()}
    assert theirs == ours


@given(st.lists(events, max_size=30))
def test_joined_frames_say_the_same_as_single_ones(happened: list[Any]) -> None:
    """Neighbours of one kind share a frame; a client ends with the same rows either way."""
    present: set[int] = set()
    changes = []
    for number, columns, gone in happened:
        if not gone or number in present:
            (present.discard if gone else present.add)(number)
            changes.append(change(number, columns, is_delete=gone))
    joined, single = Mirror(RowStyle.FULL), Mirror(RowStyle.FULL)
    empty = {"keys": list(TABLE.keys), "data": []}
    one, other = Client(empty), Client(empty)
    for frame in joined.frames(changes):
        one.apply(spoken(frame))
    for each in changes:
        for frame in single.frames([each]):
            other.apply(spoken(frame))
    assert one.rows == other.rows
