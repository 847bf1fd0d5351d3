"""P11: secrets with every awkward sign are planted, a whole life is lived, and everything written is searched.

Log, journal, checkpoints, outbox, names of files, answers of the control API, output and errors of the commands, its
command line; plain, reversed, hexadecimal, base64 at any offset, quoted for URLs, escaped for JSON, halves.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from connectors.simulated.engine.inputs import SetKey
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.embedded import EmbeddedExchange
from daemon.shell.control.client import ask
from tests.integration.exchange_client import Rest, prices, running
from tests.integration.guard_process import REPOSITORY, GuardProcess, a_guard, open_long, until, wait_stop
from tests.integration.secrets_in import places_of, spellings

SECRET = 'pl4nted/s3cret+with=signs&"quotes"\\and~back%slashes;Zz9'
TOKEN = "T0k3n-of-the-webhook-Qq7Ww8Ee9Rr0"
OF_THE_GUARD = (("config", "diff", "--running"), ("status",), ("explain", "XBTUSD"))
OF_FILES = (("check",), ("config", "show", "--json"), ("config", "explain", "alerts.webhook_url"), ("alert", "test"))


def planted_key(exchange: EmbeddedExchange) -> ApiKey:
    """A key whose secret is full of signs that encodings turn into others."""
    account = exchange.key().account
    exchange.venue.submit(SetKey(account=account, key_id="PlantedKeyId", secret=SECRET, permissions=("order",)))
    found = exchange.venue.keyring.get("PlantedKeyId")
    assert found is not None
    return found


def settings_with_everything(guard: GuardProcess) -> None:
    """A command that shouts the secret to standard error, and channels that nobody answers, with a token in each."""
    script = guard.folder.parent / "tell.py"
    script.write_text(
        "import sys, os\n"
        f"word = {{'secret': {SECRET!r}, 'key': 'PlantedKeyId'}}[sys.argv[1]]\n"
        "sys.stderr.write(f'complaint about {word}')\n"
        "print(word)\n"
    )
    words = {name: [sys.executable, str(script), name] for name in ("key", "secret")}
    guard.settings.write_text(
        guard.settings.read_text()
        + f"[alerts]\nwebhook_url = 'http://127.0.0.1:9/hooks/{TOKEN}?token={TOKEN}'\nwebhook_timeout_s = 1\n"
        + f"[alerts.channels.chat]\nkind = 'apprise'\nurl = 'json://{TOKEN}:{TOKEN}@127.0.0.1:9/{TOKEN}'\n"
        + f"[alerts.channels.pager]\nkind = 'alertmanager'\nurl = 'http://user:{TOKEN}@127.0.0.1:9/{TOKEN}'\n"
        + f"[alerts.heartbeat]\nurl = 'http://127.0.0.1:9/{TOKEN}'\n"
        + "[credentials]\n"
        + "".join(f"{name}_command = {msgspec.json.encode(each).decode()}\n" for name, each in words.items())
    )


def command_line(process: int) -> bytes:
    """What everybody on the machine can see of a process."""
    return Path(f"/proc/{process}/cmdline").read_bytes()


async def seawall(guard: GuardProcess, *words: str, environment: dict[str, str] | None = None) -> bytes:
    """Output and errors of a command."""
    place = (str(guard.settings),) if "diff" in words else ("--config", str(guard.settings))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", *words, *place),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
    )
    async with asyncio.timeout(40):
        output, _ = await process.communicate()
    return output


async def side_by_side(asked: dict[str, Coroutine[Any, Any, bytes]]) -> dict[str, bytes]:
    """What commands say that run at the same time, by their names."""
    return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))


async def answers_of(guard: GuardProcess) -> dict[str, bytes]:
    """Everything that the control API tells on a question without an argument."""
    socket = guard.folder / "state" / "control.sock"
    document = msgspec.json.decode((await asyncio.to_thread(ask, socket, "/v1/openapi.json"))[1])
    targets = [
        path
        for path, verbs in document["paths"].items()
        if "get" in verbs and "{" not in path and "text/event-stream" not in str(verbs["get"])
    ]
    assert len(targets) > 5
    return {path: (await asyncio.to_thread(ask, socket, path))[1] for path in targets}


async def test_no_spelling_of_a_planted_secret_is_in_anything_written(tmp_path: Path) -> None:
    """P11: a position, a crash of its price, alerts to a dead channel, every question and every command."""
    folder = tmp_path / "life"
    folder.mkdir()
    texts: dict[str, bytes] = {}
    async with running() as exchange, Rest(exchange) as bot:
        async with a_guard(folder, exchange, key=planted_key(exchange)) as guard:
            settings_with_everything(guard)
            nothing = {"SEAWALL_KEY": "", "SEAWALL_SECRET": ""}
            await guard.start(environment=nothing)
            status = await guard.wait_mode("guarding")
            await open_long(bot)
            stop = await wait_stop(bot)
            texts["command line"] = command_line(status["process"])
            exchange.venue.submit(prices(XBTUSD=int(stop["stopPx"]) - 5))

            async def has_failed() -> Any:
                return "webhook" in guard.words() or (await guard.status())["alerts"]

            await until(has_failed, "an alert to fail")
            texts |= await answers_of(guard)
            texts |= await side_by_side({" ".join(words): seawall(guard, *words) for words in OF_THE_GUARD})
            shout = {"SEAWALL_SET_CREDENTIALS__SECRET": SECRET, "SEAWALL_SET_STOP__STYLE": SECRET}
            told = {" ".join(words): seawall(guard, *words) for words in OF_FILES}
            told["overrides"] = seawall(guard, "check", environment=shout)
            code, others = await asyncio.gather(guard.terminate(), side_by_side(told))
            assert code == 0
            texts |= others
        (folder / "seawall.toml").unlink()  # the token stands there because the operator wrote it there
    assert b"stop.buffer_percent" in texts["/v1/settings"]
    assert b"XBTUSD" in texts["explain XBTUSD"]
    assert b"looks like a credential" in texts["overrides"]
    assert places_of(SECRET, folder=folder, texts=texts) == []
    assert places_of(TOKEN, folder=folder, texts=texts) == []


def test_the_search_finds_what_it_is_to_find(tmp_path: Path) -> None:
    """A search that finds nothing anywhere would find nothing here."""
    for number, spelling in enumerate(spellings(SECRET)):
        (tmp_path / str(number)).write_bytes(b"before " + spelling + b" after")
    assert len(places_of(SECRET, folder=tmp_path, texts={})) >= len(spellings(SECRET))
    for lead in range(5):
        hidden = base64.b64encode(b"x" * lead + SECRET.encode() + b"y" * (lead % 2))
        assert places_of(SECRET, folder=tmp_path / "none", texts={"here": hidden})
