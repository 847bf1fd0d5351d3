"""An exchange that runs for weeks: whatever it remembers has a bound."""

from __future__ import annotations

import pytest

from connectors.simulated.engine.holdings import ledger
from connectors.simulated.server import bins, wire
from tests.week import Bot, census

STEP_MS = 1_200_000
SLACK = 1.1
FEW = 8  # of a kind may come and go


def test_no_table_grows_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three days of trading, liquidations, fundings and visitors: after a warm-up nothing but bounded histories fills.

    The bounds that are counted in thousands are made small, so that hours are enough to reach them.
    """
    bounds = {
        (ledger, "KEPT_FINISHED_ORDERS"): 20,
        (ledger, "KEPT_BURNT_IDS"): 20,
        (wire, "_MOST_ROWS"): 4,
        (bins, "_KEPT_BINS"): 10,
        (bins, "_KEPT_OF_INDEX"): 10,
    }
    for (module, name), bound in bounds.items():
        monkeypatch.setattr(module, name, bound)
    bot = Bot(step_ms=STEP_MS, image_period_ms=0)
    bot.venue.history.kept_prices = 40
    bot.live(110)
    before = census(bot.venue.save())
    bot.live(110)
    after = census(bot.venue.save())
    assert not {path: (before[path], after[path]) for path in after if after[path] > before[path] * SLACK + FEW}
    assert bot.venue.exchange.money_is_conserved()
    assert bot.venue.hub.listener_count() == 0
