"""From the command line to plans: lanes, positions of one's own, grids, and every mistake in one line."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.vocabulary import Side
from daemon.backtest.asked import BacktestOptions
from daemon.backtest.cadence import EXACT, FAST
from daemon.backtest.plan import HOUR_MS
from daemon.backtest.settings import cells_of, own_lanes, plan_of, policy_file
from daemon.exit_codes import CommandFailed
from tests.unit.daemon.backtest.histories import MIDNIGHT_MS

ASKED = BacktestOptions(
    candles=Path("a.csv"),
    config=None,
    profile=None,
    since=None,
    until=None,
    seed=1,
    side="both",
    leverage="10",
    margin="isolated",
    equity="1",
    size="20",
    hold_hours="24",
    again_hours="1",
    warm_up_minutes=5,
    positions=None,
    latency_ms=50,
    lift_hours="0",
    pace="fast",
    changes=(),
    grid=None,
    jobs=1,
    json=None,
    html=None,
    progress="none",
)
END_MS = MIDNIGHT_MS + 24 * HOUR_MS


def planned(asked: BacktestOptions):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return plan_of(asked, start_ms=MIDNIGHT_MS, end_ms=END_MS)


def refusal(asked: BacktestOptions) -> str:
    """Return the one line with which options are refused."""
    with pytest.raises(CommandFailed) as refused:
        planned(asked)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_default_is_a_long_and_a_short_at_ten_under_careful() -> None:
    """What the documentation says of a call without options."""
    plan = planned(ASKED)
    assert [lane.name for lane in plan.lanes] == ["long 10x isolated", "short 10x isolated"]
    assert (plan.equity_sat, plan.margin_share, plan.cadence) == (100_000_000, Decimal("0.2"), FAST)
    assert policy_file(ASKED).name == "careful.toml"
    assert planned(replace(ASKED, pace="exact")).cadence is EXACT


def test_every_profile_can_be_played_by_name() -> None:
    """The profiles name a venue; none is needed."""
    for name in ("observer", "careful", "swing", "market-maker"):
        assert planned(replace(ASKED, profile=name)).policy.observe is (name == "observer")


def test_each_leverage_and_margin_is_a_lane_of_its_own() -> None:
    """Two leverages, both margins, one side."""
    plan = planned(replace(ASKED, leverage="5, 20", margin="both", side="short"))
    assert [lane.name for lane in plan.lanes] == [
        "short 5x isolated",
        "short 5x cross",
        "short 20x isolated",
        "short 20x cross",
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"leverage": "ten"}, "--leverage must be a number from 1 to 100, not 'ten'"),
        ({"leverage": "1000"}, "--leverage must be"),
        ({"leverage": "5,,10"}, "--leverage must be"),
        ({"equity": "-1"}, "--equity must be"),
        ({"size": "NaN"}, "--size must be"),
        ({"hold_hours": "0"}, "--hold-hours must be"),
        ({"changes": ("stop.bufer_percent=3",)}, "did you mean buffer_percent?"),
        ({"changes": ("stop.buffer_percent",)}, "is no setting"),
        ({"changes": ("stops.buffer_percent=3",)}, "did you mean stop?"),
        ({"config": Path("/nowhere.toml")}, "cannot be read"),
        ({"changes": ("venue.environment=testnet",)}, "is no setting of a policy"),
        ({"leverage": ",".join(str(n) for n in range(1, 30)), "side": "both"}, "too many at once"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(changed: dict[str, object], words: str) -> None:
    """Numbers that are none, settings that are not known, files that are not there."""
    assert words in refusal(replace(ASKED, **changed))  # type: ignore[arg-type]


def test_settings_can_be_changed_on_the_command_line() -> None:
    """A change counts instead of the file's value."""
    plan = planned(replace(ASKED, changes=("stop.buffer_percent=3.5", "stop.style=close")))
    assert (plan.policy.stop.buffer_percent, plan.policy.stop.style.value) == (Decimal("3.5"), "close")


def test_a_grid_is_every_combination() -> None:
    """Two settings with two and three values: six cells, each with its own policy and a name."""
    asked = replace(ASKED, grid="stop.buffer_percent=1,2,3; account.drawdown.alert_at_percent=[5,10],[20,30]")
    cells = cells_of(asked, planned(asked))
    assert len(cells) == 6
    assert cells[0].name == "stop.buffer_percent=1, account.drawdown.alert_at_percent=[5, 10]"
    assert [cell.plan.policy.stop.buffer_percent for cell in cells] == [1, 1, 2, 2, 3, 3]
    assert cells[1].plan.policy.account.drawdown.alert_at_percent == (20, 30)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("", "names no settings"),
        ("stop.buffer_percent=1;stop.buffer_percent=2", "twice"),
        ("stop.buffr_percent=1", "did you mean buffer_percent?"),
        ("stop.buffer_percent=1,x", "must be a number"),
        ("stop.buffer_percent=" + ",".join(str(n / 100) for n in range(20, 160)), "100 is the most"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(grid: str, words: str) -> None:
    """Nothing, the same twice, unknown keys, values of another kind, too many."""
    asked = replace(ASKED, grid=grid)
    with pytest.raises(CommandFailed) as refused:
        cells_of(asked, planned(asked))
    assert words in str(refused.value)


def test_positions_of_ones_own_are_read_from_toml_and_json(tmp_path: Path) -> None:
    """The same position in both forms."""
    toml, other = tmp_path / "own.toml", tmp_path / "own.json"
    toml.write_text(
        '[[positions]]\nside = "short"\nleverage = 5\nmargin = "cross"\ncontracts = 1000\nat = 2020-03-12T10:00:00Z\n'
    )
    other.write_text(
        '[{"symbol": "XBTUSD", "side": "short", "leverage": 5, "margin": "cross", "contracts": 1000,'
        ' "at": "2020-03-12T10:00Z"}]'
    )
    [lane] = own_lanes(toml, MIDNIGHT_MS, END_MS)
    assert [lane] == list(own_lanes(other, MIDNIGHT_MS, END_MS))
    assert (lane.side, lane.contracts, lane.at_ms) == (Side.SHORT, 1000, MIDNIGHT_MS + 10 * HOUR_MS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "holds no positions"),
        ('[{"side": "up"}]', 'side must be "long" or "short"'),
        ('[{"side": "long", "symbol": "SOLUSD"}]', "symbol SOLUSD is not played"),
        ('[{"side": "long", "size": 3}]', "size is not known"),
        ('[{"side": "long", "contracts": 1.5}]', "contracts must be a whole number"),
        ('[{"side": "long", "contracts": 150}]', "contracts must be a multiple of 100"),
        ('[{"side": "long", "until": "2020-03-12T00:05"}]', "until must come after at"),
        ('[{"side": "long", "at": "2021-01-01"}]', "outside of what is played"),
        ('[{"side": "long", "at": "noon"}]', "is no date"),
        ("[1]", "is no table"),
        ("{", "cannot be understood"),
    ],
)
def test_positions_that_cannot_be_are_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    """Each mistake names the file, the position and what is right."""
    path = tmp_path / "own.json"
    path.write_text(text)
    assert words in refusal(replace(ASKED, positions=path))
