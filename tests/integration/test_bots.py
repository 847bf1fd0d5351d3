"""Bots against the real daemon and the embedded exchange: heard over the socket, silent, killed, back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from daemon.exit_codes import ExitCode
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import GuardProcess, a_guard, open_long, until, wait_stop
from tests.integration.test_operate import open_orders, seawall

SILENT_AFTER_S = 5
BOTS = f"""
[control]
enabled = true
[bots.maker]
id_prefix = "mm-"
silent_after_s = {SILENT_AFTER_S}
must_be_alive = true
[bots.hedger]
id_prefix = "hd-"
silent_after_s = 600
"""


def with_bots(guard: GuardProcess, words: str = BOTS) -> GuardProcess:
    """Let its settings name bots."""
    guard.settings.write_text(guard.settings.read_text() + words)
    return guard


async def call(guard: GuardProcess, verb: str, path: str) -> tuple[int, dict[str, Any]]:
    """One request to the control API, as a bot makes it; 0 where nobody answers."""
    transport = httpx.AsyncHTTPTransport(uds=str(guard.folder / "state" / "control.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://seawall", timeout=5) as client:
        try:
            answer = await client.request(verb, path)
        except httpx.TransportError:
            return 0, {}
    return answer.status_code, answer.json()


async def heartbeat(guard: GuardProcess, name: str = "maker") -> tuple[int, dict[str, Any]]:
    """A bot shows that it lives."""
    return await call(guard, "POST", f"/v1/bots/{name}/heartbeat")


async def wait_heard(guard: GuardProcess) -> None:
    """Call until the guard hears: while it opens it says 503, before that nobody answers."""

    async def is_heard() -> bool:
        return (await heartbeat(guard))[0] == 200

    await until(is_heard, "the guard to hear")


async def quote(bot: Rest, name: str, price: int = 90_000, **more: Any) -> None:
    """An order under a client order id."""
    fields = {"side": "Sell", "orderQty": 1_000, "price": price, "ordType": "Limit", **more}
    await bot.ask("POST", "/order", symbol="XBTUSD", clOrdID=name, **fields)


async def wait_orders(bot: Rest, *names: str) -> None:
    """Wait until just these orders are open, the guard's own left out."""

    async def are_there() -> bool:
        rows = await open_orders(bot)
        return {row["clOrdID"] for row in rows if not row["clOrdID"].startswith("sw-")} == set(names)

    await until(are_there, f"the open orders to be {names}")


async def halted(guard: GuardProcess, ask: str = "") -> bool:
    """The halt flag."""
    status, flag = await call(guard, "GET", f"/v1/halt{ask}")
    assert status == 200
    return bool(flag["halted"])


async def standing(guard: GuardProcess) -> dict[str, Any]:
    """How the bot that falls silent stands, as `seawall status` shows it."""
    return next(dict(bot) for bot in (await guard.status())["bots"] if bot["bot"] == "maker")


async def test_a_bot_that_dies_and_comes_back_with_a_kill_in_between(tmp_path: Path) -> None:
    """P1, P6, P7: its silence takes its quotes and nothing else, survives `kill -9`, and ends with a call."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        with_bots(guard)
        await guard.start_guarding()
        await open_long(bot)
        await wait_stop(bot)
        await wait_heard(guard)
        await quote(bot, "mm-1")
        await quote(bot, "mm-target", execInst="ReduceOnly")
        assert not await halted(guard)
        # Nobody calls for the maker any more; meanwhile the other bot, and a stranger, use the API.
        await use_it(guard)
        await wait_orders(bot, "mm-target")
        assert (await standing(guard))["standing"] == "silent"
        assert await halted(guard, "?bot=maker")
        await wait_stop(bot)
        await guard.kill()
        assert await heartbeat(guard) == (0, {})
        await guard.start_guarding()
        assert (await standing(guard))["standing"] == "silent"
        await quote(bot, "mm-2")
        await wait_orders(bot, "mm-target")
        await wait_stop(bot)
        code, said, _ = await seawall(guard, "heartbeat", "maker")
        assert (code, "was taken for dead" in said) == (0, True)
        await quote(bot, "mm-3")
        await until(lambda: _is_armed(guard), "the switch to be fed again")
        await wait_orders(bot, "mm-target", "mm-3")
        assert (await seawall(guard, "freeze"))[0] == 0
        status, flag = await call(guard, "GET", "/v1/halt?symbol=XBTUSD")
        assert (status, flag["halted"]) == (200, True)
        assert "operator" in {reason["name"] for reason in flag["reasons"]}
        await wait_orders(bot, "mm-target")
        assert await guard.terminate() == 0
        assert not (guard.folder / "state" / "control.sock").exists()
        assert (await seawall(guard, "heartbeat", "maker"))[0] == ExitCode.VENUE_UNREACHABLE


async def _is_armed(guard: GuardProcess) -> bool:
    return bool((await guard.status())["switch"]["state"] == "armed")


async def use_it(guard: GuardProcess) -> None:
    """The socket's mode, known and unknown bots, and a flood of calls: hundreds are heard, one a second is kept."""
    assert (guard.folder / "state" / "control.sock").stat().st_mode & 0o777 == 0o600
    assert (await call(guard, "GET", "/v1/health"))[0] == 200
    assert (await heartbeat(guard, "stranger"))[0] == 404
    assert (await seawall(guard, "heartbeat", "stranger"))[0] == ExitCode.REFUSED
    records = (await guard.status())["journal"]["records"]
    answers = await asyncio.gather(*(heartbeat(guard, "hedger") for _ in range(40)))
    assert {code for code, _ in answers} <= {200, 503}
    assert (await guard.status())["journal"]["records"] < records + 30
    described = {each["bot"]: each for each in (await call(guard, "GET", "/v1/bots"))[1]["bots"]}
    assert (described["hedger"]["standing"], described["hedger"]["heard_by"]) == ("alive", "call")
