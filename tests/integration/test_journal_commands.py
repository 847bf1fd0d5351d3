"""`seawall journal`, `replay` and `explain` on the real daemon's journal, while it runs and after it was killed."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from urllib.parse import quote

import msgspec

from daemon.exit_codes import ExitCode
from daemon.journal.replay import play
from daemon.journal.segments import find
from daemon.journal.verify import verify
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import GuardProcess, a_guard, guard_stops, open_long, wait_stop
from tests.integration.test_operate import seawall


async def test_a_running_daemons_journal_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    """P7, P9, P11: whole, the same commands, its stop explained; after a kill one chain still; no secret anywhere."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        await wait_stop(bot)
        (stop,) = await guard_stops(bot)
        results = await asyncio.gather(
            seawall(guard, "journal", "verify"),
            seawall(guard, "replay"),
            seawall(guard, "explain", stop["clOrdID"], "--json"),
        )
        assert [code for code, _, _ in results] == [ExitCode.OK] * 3, results
        explained = msgspec.json.decode(results[2][1])
        assert explained["command"] == "PlaceStop"
        assert stop["orderID"] in explained["names"]
        assert any(row["by"] == "venue" and "resting" in row["text"] for row in explained["trail"])
        (position,) = explained["known"]["positions"]
        assert position["liquidation_price"]

        await guard.kill()
        await guard.start_guarding()
        code, said, _ = await seawall(guard, "journal", "prune", "--keep", "0")
        assert (code, "0 segments" in said) == (ExitCode.OK, True)
        segments = find(tmp_path / "state")
        played, found = play(segments), verify(segments)
        assert (played.code, played.checkpoints) == (ExitCode.OK, 1), played
        assert (found.code, found.segments, found.chained) == (ExitCode.OK, 2, found.records)
        export = await seawall(guard, "journal", "export", "--jsonl", "--states")
        assert_no_secret_in(guard, *(words for _, *streams in (*results, export) for words in streams))


def assert_no_secret_in(guard: GuardProcess, *screens: str) -> None:
    """Key and secret, plain or encoded, are neither on a screen nor in anything that the guard wrote."""
    texts = [path.read_bytes() for path in guard.folder.rglob("*") if path.is_file()]
    texts += [screen.encode() for screen in screens]
    assert sum(map(len, texts)) > 10_000
    forms = [form.lower() for each in (guard.key.key_id, guard.key.secret) for form in written_forms(each)]
    found = [form for form in forms for text in texts if form in text.lower()]
    assert not found


def written_forms(secret: str) -> list[bytes]:
    """A secret as it is, and in the encodings in which it could slip through."""
    raw = secret.encode()
    shifted = [base64.b64encode(b"x" * shift + raw)[4:-4] for shift in (1, 2)]
    plain = [raw, raw[: len(raw) // 2], raw[::-1], raw.hex().encode(), quote(secret, safe="").encode()]
    return [*plain, base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="), *shifted]
