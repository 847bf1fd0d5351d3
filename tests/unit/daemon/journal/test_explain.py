"""`seawall explain`: one screen that answers what was known, which rule spoke, what was sent, what was proved."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from daemon.cli import main
from daemon.core.events import OperatorAsked
from daemon.core.operator_requests import FreezeAsked
from daemon.exit_codes import ExitCode
from daemon.journal.times import moment
from tests.fakes import SECOND_NS, START_NS, SYMBOL
from tests.lives import a_life
from tests.unit.daemon.journal.written import the_stop, write_journal


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a short life."""
    write_journal(tmp_path)
    return tmp_path


def asked(journal: Path, what: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The screen."""
    assert main(["explain", what, "--journal", str(journal)]) == ExitCode.OK
    return capsys.readouterr().out


def test_an_order_is_explained_on_one_screen(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P9: mark, liquidation price and its source, position, stops, feeds; reason and rule; sent; proved and when."""
    stop = the_stop()
    screen = asked(journal, stop.client_order_id, capsys)
    assert len(screen.splitlines()) <= 30
    for words in (
        "reason   cover_missing: A position has no sufficient stop",
        "rule     liquidation_buffer asks for",
        "cause    PositionSeen",
        f"place stop sell {stop.quantity} {SYMBOL} at {stop.stop_price} by the mark",
        "mark 60000.5",
        "liquidation ",
        "venue ",
        "stops: none rests; NOT COVERED",
        "market stream live",
        "answered: new",
        "order stream: new",
        ", resting",
    ):
        assert words in screen


def test_the_order_of_the_exchange_is_the_same_order(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked by the exchange's id, which nobody knew when the order was placed: the placing is found all the same."""
    stop = the_stop()
    document = msgspec.json.decode(asked_json(journal, stop.client_order_id, capsys))
    (other,) = set(document["names"]) - {stop.client_order_id}
    assert msgspec.json.decode(asked_json(journal, other, capsys)) == document


def asked_json(journal: Path, what: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The same for machines."""
    assert main(["explain", what, "--journal", str(journal), "--json"]) == ExitCode.OK
    return capsys.readouterr().out


def test_a_time_shows_what_was_known_and_what_came_after(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In full, and as a time of day."""
    at_ns = START_NS + 2 * SECOND_NS
    whole = asked(journal, moment(at_ns), capsys)
    assert "covered since" in whole
    assert "before" in whole
    assert "after" in whole
    assert asked(journal, moment(at_ns)[11:-1], capsys) == whole


def test_a_symbol_means_the_last_decision_about_it(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The position grew at the end, so the stop is to grow."""
    assert "cover_too_small" in asked(journal, SYMBOL, capsys)


def test_an_alert_is_explained_by_its_id(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person has the alert before them and asks why."""
    main(["journal", "export", "--jsonl", str(journal), "--kind", "command"])
    rows = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    alert = next(row["body"] for row in rows if row["name"] == "RaiseAlert" and row["body"]["topic"] == "cover")
    screen = asked(journal, alert["alert_id"], capsys)
    assert alert["text"][:60] in screen


def test_a_record_is_explained_by_its_number(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Replay and verify name records: the number of an event, or of what it led to."""
    document = msgspec.json.decode(asked_json(journal, the_stop().client_order_id, capsys))
    number = document["cause"]["record"]
    assert "cause" in asked(journal, str(number), capsys)
    main(["journal", "export", "--jsonl", str(journal), "--kind", "event"])
    rows = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    tick = next(row for row in rows if row["name"] == "HealthTicked")
    assert f"{tick['at']}: known then" in asked(journal, str(tick["seq"]), capsys)


@pytest.mark.parametrize("what", ["sw-9-NOWHERE-L-s1", "1999-01-01T00:00:00Z", "99999999"])
def test_what_is_not_there_is_said(journal: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    """One line and exit code 3."""
    assert main(["explain", what, "--journal", str(journal)]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1


def test_damage_before_the_decision_is_said_and_the_records_are_shown(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """P12: what was known cannot be rebuilt; what was sent and proved is told all the same."""
    stop = the_stop()
    for path in sorted(journal.iterdir()):
        lines = path.read_bytes().splitlines(keepends=True)
        if any(b"PlaceStop" in line for line in lines):
            lines[1] = lines[1][:60] + b"~" + lines[1][61:]
            path.write_bytes(b"".join(lines))
            break
    screen = asked(journal, stop.client_order_id, capsys)
    assert "not rebuilt: " in screen
    assert "order stream: new" in screen


def test_nothing_is_nothing_to_explain(journal: Path) -> None:
    """A forgotten variable in a script: an empty word would be in every record."""
    assert main(["explain", "", "--journal", str(journal)]) == ExitCode.USAGE


def test_a_person_is_told_from_the_exchange(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who asked for a freeze stands beside what came of it, with what the guard decided."""
    life = a_life()
    asked_ns = START_NS + 10 * SECOND_NS
    life._take(OperatorAsked(at_ns=asked_ns, request_id="r", who="ada", request=FreezeAsked()))
    write_journal(tmp_path, life)
    screen = asked(tmp_path, moment(asked_ns + SECOND_NS), capsys)
    assert "person ada asked: freeze asked" in screen
    assert "operator" in screen
