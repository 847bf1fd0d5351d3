"""`seawall stress` as people read it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.daemon.calc.calling import call


def test_the_table_has_the_money_that_positions_settle_in_and_no_other(tmp_path: Path) -> None:
    """A wallet of dollars that backs nothing would be a column of the same figure; names are those people use."""
    file = tmp_path / "account.json"
    account = {
        "positions": [{"symbol": "XBTUSD", "currentQty": 10_000, "avgEntryPrice": 60_000, "leverage": 5}],
        "margins": [{"currency": "XBt", "walletBalance": 50_000_000}, {"currency": "USDt", "walletBalance": 9_000_000}],
        "marks": {"XBTUSD": 60_000},
    }
    file.write_text(json.dumps(account))
    called = call(f"stress --file {file} --step 25")
    assert called.code == 0, called.err
    (head,) = [line for line in called.out.splitlines() if "positions left" in line]
    assert head.split() == ["move", "equity", "XBT", "change", "positions", "left"]
