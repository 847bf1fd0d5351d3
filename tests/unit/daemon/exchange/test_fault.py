"""`seawall exchange fault` against a control API that is a fake: what is sent, said and returned."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from daemon.cli import main
from daemon.exchange import beacon
from daemon.exit_codes import ExitCode

CATALOGUE = {
    "active": [
        {
            "number": 4,
            "name": "reply-late",
            "scope": {"verb": "POST"},
            "parameters": {"ms": 50},
            "count": 3,
            "hits": 1,
            "is_on": True,
        }
    ],
    "catalogue": [
        {
            "name": "overload",
            "place": "rest",
            "meaning": "503",
            "count": None,
            "parameters": [{"name": "x", "default": 1, "choices": ["1", "2"], "meaning": "how"}],
        }
    ],
}


class Fake:
    """A control API that answers as it is told and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answer: tuple[int, Any] = (200, CATALOGUE)
        fake = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                fake.asked.append((self.command, self.path, body))
                status, answer = fake.answer
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_POST = do_DELETE = do_GET  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A fake control API."""
    fake = Fake()
    thread = Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    fake.server.shutdown()
    thread.join()
    fake.server.server_close()


def test_a_fault_is_set_with_its_pairs(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """Each pair becomes a field; the number is told."""
    fake.answer = (200, {"number": 7, "name": "reply-late"})
    words = ["exchange", "fault", "set", "reply-late", "verb=POST", "ms=50", "--control", fake.url]
    assert main(words) == ExitCode.OK
    assert fake.asked == [("POST", "/faults", {"name": "reply-late", "verb": "POST", "ms": "50"})]
    assert capsys.readouterr().out == "fault 7 is set: reply-late\n"


@pytest.mark.parametrize(
    ("words", "fields"), [([], {}), (["overload"], {"name": "overload"}), (["4"], {"number": "4"})]
)
def test_faults_are_cleared(fake: Fake, capsys: pytest.CaptureFixture[str], words: list[str], fields: Any) -> None:
    """All, those of a name, or the one of a number."""
    fake.answer = (200, {"cleared": 2})
    assert main(["exchange", "fault", "clear", *words, "--control", fake.url]) == ExitCode.OK
    assert fake.asked == [("DELETE", "/faults", fields)]
    assert capsys.readouterr().out == "cleared: 2\n"


def test_faults_are_listed_in_words_and_as_json(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """What is set comes first, then what can be, with parameters."""
    assert main(["exchange", "fault", "list", "--control", fake.url]) == ExitCode.OK
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "  4. reply-late verb=POST ms=50: bitten 1 of 3"
    assert said[1].split() == ["overload", "rest", "503"]
    assert said[2].split() == ["x=1", "(1|2)", "how"]
    assert main(["exchange", "fault", "list", "--json", "--control", fake.url]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == CATALOGUE


def test_a_refusal_is_one_line(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """The exchange's own words, and the code for bad input."""
    fake.answer = (400, {"error": {"message": "no fault 'x'", "name": "HTTPError"}})
    assert main(["exchange", "fault", "set", "x", "--control", fake.url]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err == "seawall: no fault 'x'\n"


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and the code for an unreachable exchange."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert main(["exchange", "fault", "list", "--control", url]) == ExitCode.VENUE_UNREACHABLE
        assert capsys.readouterr().err.startswith(f"seawall: no exchange answers at {url}")


def test_an_address_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a traceback."""
    assert main(["exchange", "fault", "list", "--control", "nonsense"]) == ExitCode.VENUE_UNREACHABLE
    assert capsys.readouterr().err.startswith("seawall: no exchange answers at nonsense")


@pytest.mark.parametrize(
    ("running", "code", "reason"),
    [
        ([], ExitCode.VENUE_UNREACHABLE, "no exchange is running; start one"),
        (["http://a", "http://b"], ExitCode.USAGE, "several exchanges are running; choose one with --control"),
    ],
)
def test_the_running_exchange_is_found_only_if_it_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    running: list[str],
    code: ExitCode,
    reason: str,
) -> None:
    """Without --control there has to be exactly one."""
    monkeypatch.setattr(beacon, "found", lambda: running)
    assert main(["exchange", "fault", "list"]) == code
    assert reason in capsys.readouterr().err


def test_the_only_running_exchange_is_asked(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """No address needed."""
    monkeypatch.setattr(beacon, "found", lambda: [fake.url])
    assert main(["exchange", "fault", "list"]) == ExitCode.OK
    assert fake.asked == [("GET", "/faults", None)]


def test_a_pair_without_a_sign_is_a_slip(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent."""
    assert main(["exchange", "fault", "set", "overload", "count"]) == ExitCode.USAGE
    assert capsys.readouterr().err == "seawall: write key=value, not 'count'\n"


def test_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Built-in histories and shipped files."""
    assert main(["exchange", "scenarios"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "crash          built in" in said
    assert "wind-down      Wind-down of the whole venue" in said
