"""The one object the doors ask: what becomes of this request, this frame, this hand-shake?

Why: neither door knows a fault by name, and no fault knows a door; while none is set, the answer costs
one look.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.simulated.engine.faults.kinds import Place
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.fates import Arrival, Fate, Reply
from connectors.simulated.server.faults import frames, requests
from connectors.simulated.server.faults.keeper import Bite, Keeper
from connectors.simulated.server.messages import Message, Target

_REQUESTS = (Place.REST, Place.KEYS, Place.ENGINE)
_FRAMES = (Place.STREAM, Place.ENGINE, Place.REST, Place.KEYS)
_NO_REQUEST = {"verb": "", "path": "", "operation": ""}  # a fault limited to some requests is not about frames
_API = "/api/v1"
_AT_HANDSHAKE = frozenset({"banned", "maintenance", "handshake-refused"})
_AT_SIGN_IN = frozenset({"key-disabled", "address-refused", "signature-refused"})
_MS_PER_S = 1_000


class Faults:
    """Decides what goes wrong between the venue and its clients."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper

    def fate(self, arrival: Arrival) -> Fate | None:
        """Return what becomes of a request; None changes nothing."""
        if self.keeper.is_quiet():
            return None
        bites = self.keeper.bites(
            _REQUESTS,
            lambda bite: requests.is_about(bite, arrival),
            account=arrival.account,
            verb=arrival.verb,
            path=arrival.path.removeprefix(_API),
            operation=arrival.operation,
        )
        return requests.fate_of(arrival, bites) if bites else None

    def clock_skew_ms(self) -> int:
        """Return how far the venue's clock is ahead where signatures are checked."""
        return _MS_PER_S * sum(bite.whole("seconds") for bite in self.keeper.standing("clock-skewed"))

    def handshake(self, *, account: int | None) -> Reply | None:
        """Return the answer that refuses a WebSocket hand-shake; None lets it in."""
        names = _AT_HANDSHAKE if account is None else _AT_HANDSHAKE | _AT_SIGN_IN
        found = self._refusing(names, account)
        return requests.refusal_of(found) if found else None

    def sign_in(self, *, account: int) -> Refused | None:
        """Return the refusal of a sign-in whose signature is good; None lets it in."""
        found = self._refusing(_AT_SIGN_IN, account)
        reply = requests.refusal_of(found) if found else None
        return None if reply is None else Refused(requests.message_of(reply), status=reply.status)

    def pass_on(self, session: Target, message: Message) -> Sequence[Message]:
        """Return what is to be said instead of a message, now."""
        if self.keeper.is_quiet():
            return (message,)
        bites = self.keeper.bites(
            _FRAMES,
            lambda bite: frames.is_about(bite, message),
            account=session.account,
            table=message.table,
            symbol=message.symbol,
            **_NO_REQUEST,
        )
        return frames.passed_on(bites, session, message) if bites else (message,)

    def loses_sign_in(self, session: Target) -> bool:
        """Return whether this sign-in, good as it is, gets lost without a word."""
        if self.keeper.is_quiet():
            return False
        return bool(
            self.keeper.bites([Place.STREAM], lambda bite: bite.name == "sign-in-lost", account=session.account)
        )

    def _refusing(self, names: frozenset[str], account: int | None) -> Bite | None:
        if self.keeper.is_quiet():
            return None
        found = self.keeper.bites(_REQUESTS, lambda bite: bite.name in names, account=account)
        return found[0] if found else None
