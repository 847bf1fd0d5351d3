"""What the exchange does with single orders."""

from __future__ import annotations

from tests.simulation.troubles.trouble import Trouble

ORDERS: tuple[Trouble, ...] = ()
