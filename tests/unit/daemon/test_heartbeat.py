"""`seawall heartbeat`: what it says and with what it exits."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.exit_codes import ExitCode
from tests.unit.daemon.shell.control.test_server import a_desk, serving

SETTINGS = '[venue]\nenvironment = "testnet"\n[state]\ndirectory = "."\n'


async def beat(*words: str | Path) -> int:
    """Run the command beside the loop that answers it."""
    return await asyncio.to_thread(main, ["heartbeat", *map(str, words)])


async def test_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the settings or by the socket, in words or as JSON."""
    settings = tmp_path / "seawall.toml"
    settings.write_text(SETTINGS + '[bots.maker]\nid_prefix = "mm-"\n')
    async with serving(tmp_path / "control.sock", a_desk()[0]):
        assert await beat("maker", "--config", settings) == ExitCode.OK
        assert capsys.readouterr().out == "maker is heard; not halted\n"
        assert await beat("maker", "--socket", tmp_path / "control.sock", "--json") == ExitCode.OK
        assert json.loads(capsys.readouterr().out)["heard"] is True


async def test_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that nobody knows, even one that is no name at all, and a bot that is heard by its orders."""
    path = tmp_path / "control.sock"
    async with serving(path, a_desk()[0]):
        assert await beat("stranger", "--socket", path) == ExitCode.REFUSED
        assert "known: by-orders, maker" in capsys.readouterr().err
        assert await beat("../../halt?x=#", "--socket", path) == ExitCode.REFUSED
        assert await beat("by-orders", "--socket", path) == ExitCode.REFUSED


def test_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No daemon, or a folder that is not there."""
    assert main(["heartbeat", "maker", "--socket", str(tmp_path / "control.sock")]) == ExitCode.VENUE_UNREACHABLE
    assert main(["heartbeat", "maker", "--socket", str(tmp_path / "no" / "c.sock")]) == ExitCode.VENUE_UNREACHABLE
    assert "no daemon answers" in capsys.readouterr().err


async def test_what_answers_is_no_control_api(tmp_path: Path) -> None:
    """The status socket, given by mistake."""
    path = tmp_path / "status.sock"

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"error":"not a request"}\n')
        writer.close()

    server = await asyncio.start_unix_server(answer, path=path)
    async with server:
        assert await beat("maker", "--socket", path) == ExitCode.VENUE_UNREACHABLE


def test_settings_without_a_control_api(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said before anything is tried."""
    settings = tmp_path / "seawall.toml"
    settings.write_text(SETTINGS + "[control]\nenabled = false\n")
    assert main(["heartbeat", "maker", "--config", str(settings)]) == ExitCode.BAD_INPUT
    assert "control.enabled is false" in capsys.readouterr().err
