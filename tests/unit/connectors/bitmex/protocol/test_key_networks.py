"""Where a key may be used from, as rows of different ages say it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.bitmex.protocol.parse import parse_key_rights


@pytest.mark.parametrize(
    ("columns", "networks"),
    [
        ({}, ()),
        ({"cidr": "0.0.0.0/0"}, ()),
        ({"cidr": "203.0.113.7/32"}, ("203.0.113.7/32",)),
        (
            {"cidr": "203.0.113.7/32", "cidrs": ["203.0.113.7/32", "198.51.100.0/24"]},
            ("203.0.113.7/32", "198.51.100.0/24"),
        ),
        ({"cidrs": ["203.0.113.7/32", "0.0.0.0/0"]}, ()),
        ({"cidrs": []}, ()),
        ({"cidr": 5, "cidrs": "x"}, ()),
    ],
)
def test_networks_of_a_key(columns: dict[str, Any], networks: tuple[str, ...]) -> None:
    """One field of old rows, a list of new ones; any that means everywhere opens all."""
    row = {"id": "k", "permissions": ["order"], "targetAccountId": 7, **columns}
    rights = parse_key_rights([row], key_id="k")
    assert rights.networks == networks
    assert rights.permissions == ("order",)
