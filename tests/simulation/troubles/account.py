"""What happens to the account itself: leverage, margin, liquidation, funding, money."""

from __future__ import annotations

from tests.simulation.troubles.trouble import Trouble

ACCOUNT: tuple[Trouble, ...] = ()
