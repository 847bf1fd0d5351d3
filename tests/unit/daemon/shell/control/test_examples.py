"""docs/examples: what is shown there works against the API as it is."""

from __future__ import annotations

import asyncio
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.core.operator_requests import FreezeAsked
from tests.unit.daemon.core.restraint.test_latches import ask as freeze
from tests.unit.daemon.shell.control.test_server import a_desk, serving

EXAMPLES = Path(__file__).resolve().parents[5] / "docs" / "examples"


async def test_the_bot_beats_and_asks_before_it_adds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Heard, allowed, then halted by a freeze; without a guard it adds nothing."""
    bot = runpy.run_path(str(EXAMPLES / "bot.py"))["main"]
    path = str(tmp_path / "s")
    bot(path, "maker", "XBTUSDT", rounds=1)
    assert capsys.readouterr().out.startswith("not heard\nhalted: the guard does not answer")
    desk, core = a_desk()
    async with serving(Path(path), desk):
        await asyncio.to_thread(bot, path, "maker", "XBTUSDT", 1)
        assert capsys.readouterr().out == "may add to XBTUSDT\n"
        freeze(core.guard, FreezeAsked())
        await asyncio.to_thread(bot, path, "maker", "XBTUSDT", 1)
        assert capsys.readouterr().out.startswith("halted: frozen: ada asked for it")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
async def test_the_script_beats_asks_and_changes(tmp_path: Path) -> None:
    """Each line of it is answered; a guard that takes no requests says so."""
    path = tmp_path / "s"
    async with serving(path, a_desk()[0]):
        command = ["sh", str(EXAMPLES / "control.sh"), str(path), "maker", "XBTUSDT"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    heard, halt, *rest = done.stdout.splitlines()
    assert '"heard":true' in heard
    assert '"halted":false' in halt
    assert len(rest) == 3
