"""Ways in which a reload, a rotation or the settings themselves could break a promise."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_CHANGE: Final = "daemon/core/operators/policy_change.py"
_T_CHANGE: Final = "tests/unit/daemon/core/operators/test_policy_change.py"
_RELOAD: Final = "daemon/shell/reload.py"
_T_RELOAD: Final = "tests/unit/daemon/shell/test_reload.py"

MUTANTS_OF_SETTINGS: Final = (
    Mutant(
        name="every-reload-lets-stops-go",
        promise="P3",
        what="A looser policy loosens the stop although nobody said so.",
        path=_CHANGE,
        before="    if event.may_loosen:\n        for symbol in before:",
        after="    if event.changes:\n        for symbol in before:",
        caught_by=(_T_CHANGE,),
    ),
    Mutant(
        name="a-reload-sells-what-it-finds",
        promise="P3",
        what="A position that only the new policy would close is sold at once.",
        path=_CHANGE,
        before="is_from_start=guarded.is_from_start or is_new",
        after="is_from_start=guarded.is_from_start",
        caught_by=(_T_CHANGE,),
    ),
    Mutant(
        name="a-reload-in-a-crash-forgives",
        promise="P2",
        what="A reload of another matter makes a position that is to be closed one that was there before.",
        path=_CHANGE,
        before="and not _asks_to_close(draft, guarded, before)",
        after="",
        caught_by=(_T_CHANGE,),
    ),
    Mutant(
        name="an-unproved-key-signs",
        promise="P11",
        what="A key that failed its proof takes the place of the one in use.",
        path=_RELOAD,
        before="            if problem:\n",
        after="            if not problem:\n",
        caught_by=(_T_RELOAD,),
    ),
    Mutant(
        name="lets-go-without-a-record",
        promise="P3",
        what="Stops are let go while the journal cannot be written.",
        path=_RELOAD,
        before="        if may_loosen and not await asyncio.to_thread",
        after="        if not may_loosen and not await asyncio.to_thread",
        caught_by=(_T_RELOAD,),
    ),
    Mutant(
        name="tokens-in-config-show",
        promise="P11",
        what="The path of a webhook's address is shown.",
        path="config/compare.py",
        before='    return f"{scheme}://{parts.hostname}{port}/(hidden)"',
        after="    return url",
        caught_by=("tests/unit/config/test_compare.py",),
    ),
)
