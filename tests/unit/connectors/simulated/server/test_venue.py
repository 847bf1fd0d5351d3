"""One venue twice: the same bytes, from the beginning, from a snapshot, from a compacted directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine import snapshot
from connectors.simulated.engine.inputs import PassTime, SetPrices
from connectors.simulated.server.settings import ClockKind, ExchangeSettings, RateLimits
from connectors.simulated.server.state import JOURNAL_NAME, SNAPSHOT_NAME, StateError
from connectors.simulated.server.venue import Venue
from connectors.simulated.server.venue_state import VenueState
from tests.integration.exchange_client import START_MS, prices
from tests.unit.connectors.simulated.server.rest.visitor import NOW_MS, Visitor
from tests.unit.connectors.simulated.server.transcript import Listener, digest

REPOSITORY = Path(__file__).resolve().parents[5]
PROGRAM = "tests.unit.connectors.simulated.server.transcript"


def venue(folder: Path | None, **settings: Any) -> Venue:
    """Return a venue whose clock stands still, with a state directory."""
    wanted: dict[str, Any] = {"limits": RateLimits(is_on=False), "accounts": 2, "state_dir": folder, "seed": 3}
    return Venue(ExchangeSettings(**{**wanted, **settings}), lambda: NOW_MS)


@pytest.mark.parametrize("clock", ClockKind)
def test_two_runs_give_the_same_bytes(clock: ClockKind) -> None:
    """The same seed, inputs and times: every answer, every frame and the state at the end agree."""
    one, other = Listener(clock=clock), Listener(clock=clock)
    for run in (one, other):
        run.live(0, 60)
    assert len(one.told) > 500
    assert one.told == other.told
    assert one.venue.save() == other.venue.save()


def test_runs_do_not_depend_on_the_order_of_sets() -> None:
    """Two processes whose text hashes differ tell the same bytes."""
    answers = {
        subprocess.run(
            [sys.executable, "-m", PROGRAM],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": number, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for number in ("1", "2")
    }
    assert len(answers) == 1
    assert int(answers.pop().split()[0]) > 1_000


def test_speed_does_not_show_on_the_tapes_clock() -> None:
    """On the tape's clock the pace of real time leaves no trace in what is told."""
    slow, quick = Listener(clock=ClockKind.TAPE), Listener(clock=ClockKind.TAPE)
    for one, pace_ms in ((slow, 100), (quick, 1)):
        for index in range(60):
            one.now_ms += pace_ms
            one.live(index, index + 1)
    assert digest(slow.told) == digest(quick.told)


@pytest.mark.parametrize("at", [1, 37, 60])
def test_a_snapshot_goes_on_as_if_nothing_had_been(at: int, tmp_path: Path) -> None:
    """Saved at any step and loaded elsewhere: the partials, all that follows, and the state at the end agree."""
    one, other = Listener(), Listener()
    for run in (one, other):
        run.live(0, at)
    (tmp_path / "snapshot.json").write_bytes(other.venue.snapshot_file())
    other.restart(tmp_path / "snapshot.json")
    assert other.venue.save() == one.venue.save()
    for run in (one, other):
        run.told.clear()
        run.listen()
        run.live(at, 100)
    told = [[text for text in run.told if b'"connected"' not in text] for run in (one, other)]
    assert told[0] == told[1]
    assert one.venue.save() == other.venue.save()
    assert one.venue.history.events(since=3) == other.venue.history.events(since=3)


def test_all_of_the_venues_state_can_be_carried() -> None:
    """A field of the venue's own state that no snapshot can carry fails here."""
    snapshot.check(VenueState)


@pytest.fixture(name="steps")
def _steps() -> Iterator[SetPrices]:
    """Endless prices that go up and down."""
    return (prices(START_MS + number * 1_000, XBTUSD=60_000 + number % 50) for number in range(100_000))


def test_a_compacted_directory_is_the_same_state(tmp_path: Path, steps: Iterator[SetPrices]) -> None:
    """Compacted again and again, the directory stays small, and each start finds all there was."""
    running = venue(tmp_path, compact_bytes=10_000)
    running.open({"seed": "3"})
    for _ in range(200):
        running.submit(next(steps))
        running.compact()
    assert (tmp_path / JOURNAL_NAME).stat().st_size < max(20_000, (tmp_path / SNAPSHOT_NAME).stat().st_size)
    before, events = running.save(), running.history.prices()
    running.close()
    again = venue(tmp_path, compact_bytes=10_000)
    again.open({"seed": "3"})
    assert again.save() == before
    assert again.history.prices() == events
    again.close()


def test_the_directory_does_not_grow_with_time(tmp_path: Path, steps: Iterator[SetPrices]) -> None:
    """Once histories are full, hours of prices take no more room on disk, and little to read back."""
    running = venue(tmp_path, compact_bytes=50_000)
    running.history.kept_prices = 100
    running.open({"seed": "3"})
    sizes = []
    for number in range(3_000):
        running.submit(next(steps))
        running.compact()
        if number % 500 == 499:
            sizes.append(sum(file.stat().st_size for file in tmp_path.iterdir()))
    running.close()
    assert max(sizes[2:]) < 1.5 * min(sizes[2:])


def test_a_snapshot_file_begins_another_exchange(tmp_path: Path) -> None:
    """What the control API hands out is what `--snapshot` takes, with or without a state directory."""
    one = venue(None)
    one.open({"seed": "3"})
    one.submit(prices())
    file = tmp_path / "bad-day.json"
    file.write_bytes(one.snapshot_file())
    for folder in (None, tmp_path / "state"):
        other = venue(folder, snapshot=file)
        other.open({"seed": "3"})
        assert other.save() == one.save()
        other.close()
    kept = venue(tmp_path / "state")
    kept.open({"seed": "3"})
    assert kept.save() == one.save()
    kept.close()
    with pytest.raises(StateError, match="has a state already; leave the snapshot out"):
        venue(tmp_path / "state", snapshot=file).open({"seed": "3"})
    with pytest.raises(StateError, match="written with seed 3, not 4"):
        venue(None, snapshot=file).open({"seed": "4"})


def test_a_foreign_snapshot_is_one_line(tmp_path: Path) -> None:
    """A file that is no snapshot, or whose state cannot be read, names itself."""
    file = tmp_path / "bad.json"
    for text in ("", "hello\n", '{"version":2,"settings":{}}\n{}\n', '{"version":2,"settings":{}}\n{"format":1}\n'):
        file.write_text(text)
        with pytest.raises(StateError, match=r"bad\.json: ") as caught:
            venue(None, snapshot=file).open({})
        assert "\n" not in str(caught.value)


def test_the_tapes_clock_stamps_rows_and_runs_timers() -> None:
    """Rows carry the tape's time; a dead man's switch fires when the tape has come that far, not before."""
    visitor = Visitor(clock=ClockKind.TAPE)
    _, order = visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 100, "price": 50_000})
    assert order["timestamp"] == "2026-07-01T00:00:00.000Z"
    visitor.ask("POST", "/order/cancelAllAfter", {"timeout": 60_000})
    visitor.now_ms += 3_600_000
    visitor.venue.submit(PassTime())
    for passed_ms, status in ((59_999, "New"), (60_000, "Canceled")):
        visitor.venue.submit(prices(START_MS + passed_ms))
        _, (row,) = visitor.ask("GET", "/order", {"reverse": "true"})
        assert row["ordStatus"] == status
    assert row["timestamp"] == "2026-07-01T00:01:00.000Z"


def test_signatures_and_limits_stay_with_real_time() -> None:
    """On the tape's clock a request still expires by the wall, and the budget refills by it."""
    visitor = Visitor(clock=ClockKind.TAPE, limits=RateLimits())
    reply = visitor.send("GET", "/api/v1/order", key=visitor.key(), api_expires=str(visitor.now_ms // 1_000 - 1))
    assert "expired" in json.loads(reply.body)["error"]["message"]
    left = [int(visitor.send("GET", "/api/v1/order", key=visitor.key()).headers["x-ratelimit-remaining"])]
    visitor.venue.submit(prices(START_MS + 3_600_000))
    left.append(int(visitor.send("GET", "/api/v1/order", key=visitor.key()).headers["x-ratelimit-remaining"]))
    visitor.now_ms += 60_000
    left.append(int(visitor.send("GET", "/api/v1/order", key=visitor.key()).headers["x-ratelimit-remaining"]))
    assert left == [119, 118, 119]
