"""What the exchange as a whole does: maintenance, delisting, settlement, winding down."""

from __future__ import annotations

from tests.simulation.troubles.trouble import Trouble

VENUE: tuple[Trouble, ...] = ()
