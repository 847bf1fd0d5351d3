"""How many rows a second `seawall calc row` answers; the floor is to read the same lines as JSON and write them."""

from __future__ import annotations

import json

from daemon.calc.row import answers
from tests.benchmarks.measure import Action, median_costs, print_costs

INSTRUMENT = {
    "symbol": "ETHUSDT",
    "isInverse": False,
    "isQuanto": False,
    "multiplier": 10,
    "lotSize": 1000,
    "tickSize": 0.05,
    "settlCurrency": "USDt",
    "fundingRate": 0.0001,
}
POSITION = {
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
}
MARGIN = {"account": 1, "currency": "USDt", "walletBalance": 100_000_000, "timestamp": "2022-06-01T12:00:00.000Z"}


def answering(row: object) -> Action:
    """Return the question about one row."""
    line = json.dumps(row).encode()
    return lambda: list(answers([line]))


def main() -> None:
    """Print the table."""
    isolated: dict[str, object] = {"instrument": INSTRUMENT, "position": POSITION}
    cross = {"instrument": INSTRUMENT, "position": {**POSITION, "crossMargin": True, "leverage": 0}, "margin": MARGIN}
    line = json.dumps(isolated).encode()
    actions: dict[str, Action] = {
        "json there and back (floor)": lambda: json.dumps(json.loads(line)),
        "an isolated position": answering(isolated),
        "a cross position with its margin row": answering(cross),
    }
    print_costs("one row", median_costs(actions), floor="json there and back (floor)")


if __name__ == "__main__":
    main()
