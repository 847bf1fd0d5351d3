"""A control API on a free port of loopback, over a guard that holds a position: what schemathesis asks.

python -m tests.schemathesis.served      prints {"url": ..., "read": TOKEN, "operate": TOKEN}, serves until killed
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from config.bots import BotPolicy
from config.credentials import Secret
from config.policy import Policy
from daemon.core.events import Event
from daemon.core.people.shown import shown
from daemon.core.state import GuardState
from daemon.shell.bot_desk import BotDesk
from daemon.shell.clock import SystemClock
from daemon.shell.control.counter import Counter
from daemon.shell.control.journal_tail import tail
from daemon.shell.control.rights import Tokens
from daemon.shell.control.server import TcpApi
from daemon.shell.journal import Journal
from daemon.shell.journal_file import JournalFile
from daemon.shell.operator_desk import OperatorDesk
from daemon.shell.status import describe_state
from tests.builders import a_position, an_order
from tests.driven import Driven

BOTS = {"maker": BotPolicy(id_prefix="mm-")}


class Core:
    """A driven guard, journalled, at the time of the wall clock."""

    def __init__(self, folder: Path, clock: SystemClock) -> None:
        self.guard = Driven(Policy(bots=BOTS))
        self.guard.now = clock.now_ns()
        self.guard.up([a_position()], [an_order("mm-1")])
        self.guard.rest()
        self.file = JournalFile(folder)
        self.file.start()
        self.journal = Journal(self.file, first_seq=0, version="schemathesis")
        self.journal.begin_segment(self.guard.state)

    @property
    def state(self) -> GuardState:
        """The newest."""
        return self.guard.state

    def take(self, event: Event) -> None:
        """Journal and decide."""
        self.journal.append_event(event)
        self.guard.now = max(self.guard.now, event.at_ns)
        self.journal.append_commands(self.guard.give(event))


def counter_of(core: Core, folder: Path, clock: SystemClock) -> Counter:
    """All that the API may ask of this guard."""
    desk = OperatorDesk(core=core, clock=clock, wait_durable=core.file.wait_durable)
    bots = BotDesk(BOTS, clock=clock)
    bots.open(core)
    facts = {"version": "1", "process": 1, "venue": "testnet", "uptime_s": 75.0, "alerts": {"raised": 0}}

    async def describe() -> dict[str, Any]:
        return {**facts, **describe_state(core.state, now_ns=clock.now_ns())}

    async def reload(who: str, *, may_loosen: bool) -> dict[str, Any]:
        return {"done": "nothing has changed", "who": who, "changes": [], "on_disk": not may_loosen}

    async def page() -> tuple[bytes, str]:
        return b"seawall_up 1\n", "text/plain; version=0.0.4; charset=utf-8"

    return Counter(
        bots=bots,
        describe=describe,
        state=lambda: core.state,
        operate=desk.operate,
        reload=reload,
        settings=lambda: {"settings": {"guard.observe": "false"}},
        tail=lambda last, every: tail(folder, last, every=every),
        metrics=page,
        alerts=lambda: shown(core.state),
    )


async def serve(folder: Path) -> None:
    """Serve until killed."""
    clock = SystemClock()
    core = Core(folder, clock)
    tokens = {"read": token_hex(24), "operate": token_hex(24)}
    shown = Tokens(read=Secret(tokens["read"]), operate=Secret(tokens["operate"]))
    api = TcpApi(("127.0.0.1", 0), counter_of(core, folder, clock), shown)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(api.run())
        while api.problem:  # noqa: ASYNC110 - it says so itself, and has no event for it
            await asyncio.sleep(0.01)
        address = {"url": f"http://127.0.0.1:{api.port}", **tokens}
        sys.stdout.write(msgspec.json.encode(address).decode() + "\n")
        sys.stdout.flush()
        _tick(core, clock)
        await asyncio.Event().wait()


def _tick(core: Core, clock: SystemClock) -> None:
    """The guard looks at itself once a second."""
    core.guard.now = max(core.guard.now, clock.now_ns())
    core.guard.tick()
    asyncio.get_running_loop().call_later(1, _tick, core, clock)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        asyncio.run(serve(Path(folder)))
