"""What becomes of connections, and of frames on their way to the guard; and what the two ways to know a thing say.

Most rows set a fault of the exchange's board for a while (`board.fault_set`); its keeper counts the frames it struck.
Where only new connections can be struck, the guard's are broken off when it begins. One that was mute ends with
the trouble: none loses frames and then goes on. Otherwise nobody renews one: to notice is the guard's business.

Units: seconds of virtual time, milliseconds where a fault of the board wants them, bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from tests.simulation.bot import CONTRACTS
from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.board import fault_set, trade_something
from tests.simulation.troubles.trouble import Cast, Trouble, some_s
from tests.simulation.virtual_loop import passing

SILENCEABLE = ("private", "public", "order", "position", "execution", "margin", "wallet")
OF_THE_ACCOUNT = ("order", "position", "execution", "margin", "wallet")
TABLES = (*OF_THE_ACCOUNT, "instrument")
KEYED = ("order", "position", "margin", "instrument")
SENTINELS = ("100000000", "1000000", "0.5")
_MOST_BYTES = 20_000
_PICTURE_S = 40.0
"""By then the account has been read anew, and what the stream says otherwise was disputed."""

Parameters = Callable[[Random], Mapping[str, str | int | bool]]


def of_the_board(
    name: str,
    fault: str,
    *,
    tables: tuple[str, ...] = (),
    parameters: Parameters = lambda _: {},
    shares: tuple[str, ...] = ("1",),
    is_new_only: bool = False,
    is_mended: bool = False,
    is_of_symbol: bool = False,
    lasting_s: tuple[float, float] = (1.0, 40.0),
    after_s: float = 0.0,
) -> Cast:
    """Return what sets a fault of the exchange's board for a while.

    Args:
        name: Of the trouble, for its hits.
        fault: Of the catalogue.
        tables: One of them is struck; none for a fault that is about no table.
        parameters: Draws the fault's parameters.
        shares: One of these probabilities is drawn.
        is_new_only: It strikes new connections: break the present ones.
        is_mended: Break them again when it ends, those of a second guard too: what it took nobody brings back.
        is_of_symbol: It is about one contract.
        lasting_s: How long.
        after_s: So long nobody can be whole afterwards: what the stream did not say only the next picture says.
    """

    async def cast(scene: Scene, guard: SimGuard, random: Random) -> None:
        scope: dict[str, str | int] = {}
        if tables:
            scope["table"] = random.choice(tables)
        if scope.get("table") != "instrument":
            scope["account"] = scene.account
        if is_of_symbol:
            scope["symbol"] = random.choice(tuple(CONTRACTS))
        drawn, share = parameters(random), random.choice(shares)
        try:
            with fault_set(scene, fault, name, random, parameters=drawn, probability=share, **scope):
                if is_new_only:
                    scene.network.hang_up(guard.name)
                trade_something(scene, random)
                await passing(some_s(random, *lasting_s))
            await passing(after_s)
        finally:
            if is_mended:
                for each in scene.guards:
                    scene.network.hang_up(each.name)

    return cast


async def hang_up(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Connections break, a few times in a row."""
    for _ in range(random.randint(1, 4)):
        if scene.network.sockets.get(guard.name):
            scene.hit("hang up")
        scene.network.hang_up(guard.name)
        await passing(some_s(random, 0.1, 5))


async def cut(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Connections break at some byte of what goes either way, as soon as they are there or later."""
    for _ in range(random.randint(1, 5)):
        for socket in tuple(scene.network.sockets.get(guard.name, ())):
            is_upward = random.random() < 0.25
            count = int(some_s(random, 1, 150 if is_upward else _MOST_BYTES))
            socket.cut_after(count, is_upward=is_upward, on_cut=partial(scene.hit, "cut"))
        trade_something(scene, random)
        await passing(some_s(random, 0.1, 10))


async def silence(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Frames of one table, or one stream, are swallowed while the connection lives."""
    guard.line.weather.silent_feeds = frozenset({random.choice(SILENCEABLE)})
    before = guard.line.swallowed
    try:
        await passing(some_s(random, 1, 40))
    finally:
        guard.line.weather.silent_feeds = frozenset()
        scene.network.hang_up(guard.name)
        if guard.line.swallowed > before:
            scene.hit("silence")


async def repeated_frames(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Private frames arrive twice."""
    guard.line.weather.repeat_frames = random.uniform(0.1, 0.9)
    before = guard.line.repeated
    try:
        await passing(some_s(random, 5, 40))
    finally:
        guard.line.weather.repeat_frames = 0.0
        if guard.line.repeated > before:
            scene.hit("repeated frames")


def _where(random: Random) -> str:
    return random.choice(("both", "rest", "stream"))


def _liquidation_price(name: str, listed: str, values: tuple[str, ...]) -> Trouble:
    """Position rows that show another liquidation price, in answers, on the stream or both."""
    cast = of_the_board(
        name,
        "liquidation-price",
        parameters=lambda random: {"value": random.choice(values), "where": _where(random)},
        is_new_only=True,
        lasting_s=(5.0, 90.0),
    )
    return Trouble(name=name, listed=listed, cast=cast)


def _other_quantity(random: Random) -> Mapping[str, str | int | bool]:
    return {"where": random.choice(("rest", "stream")), "quantity": random.choice((0, 0, 100, -100, 5_000))}


STREAMS = (
    Trouble(name="hang up", listed="", cast=hang_up),
    Trouble(name="cut", listed="socket closed at any byte", cast=cut),
    Trouble(name="silence", listed="", cast=silence),
    Trouble(name="repeated frames", listed="", cast=repeated_frames),
    Trouble(
        name="half-open",
        listed="half-open and mute with pongs",
        cast=of_the_board("half-open", "stream-mute", is_mended=True, lasting_s=(3.0, 60.0)),
    ),
    Trouble(
        name="half-open prices",
        listed="half-open and mute with pongs",
        cast=of_the_board(
            "half-open prices", "stream-mute", tables=("instrument",), is_mended=True, lasting_s=(3.0, 60.0)
        ),
    ),
    Trouble(
        name="mute",
        listed="",
        cast=of_the_board(
            "mute", "stream-mute", parameters=lambda _: {"pongs": False}, is_mended=True, lasting_s=(3.0, 60.0)
        ),
    ),
    Trouble(
        name="no partial",
        listed="partial that never comes",
        cast=of_the_board("no partial", "partial-missing", tables=TABLES, is_new_only=True, lasting_s=(3.0, 50.0)),
    ),
    Trouble(
        name="partial late",
        listed="",
        cast=of_the_board(
            "partial late",
            "partial-late",
            tables=TABLES,
            parameters=lambda random: {"ms": random.randint(50, 14_000)},
            is_new_only=True,
        ),
    ),
    Trouble(
        name="delta first",
        listed="delta before partial",
        cast=of_the_board("delta first", "delta-first", tables=TABLES, is_new_only=True),
    ),
    Trouble(
        name="keys missing",
        listed="delta with missing keys",
        cast=of_the_board("keys missing", "keys-missing", tables=KEYED, shares=("0.1", "0.5", "1")),
    ),
    Trouble(
        name="partial twice",
        listed="duplicate partial",
        cast=of_the_board("partial twice", "partial-twice", tables=TABLES, is_new_only=True),
    ),
    Trouble(
        name="unknown table",
        listed="unknown table",
        cast=of_the_board("unknown table", "table-unknown", tables=TABLES, lasting_s=(5.0, 40.0)),
    ),
    Trouble(
        name="unknown field",
        listed="unknown field",
        cast=of_the_board("unknown field", "field-unknown", tables=TABLES, is_new_only=True),
    ),
    Trouble(
        name="tables swapped",
        listed="frame order swapped between tables",
        cast=of_the_board(
            "tables swapped",
            "tables-swapped",
            tables=("order", "position", "execution", "margin"),
            parameters=lambda random: {"ms": random.choice((30, 300, 2_500))},
        ),
    ),
    Trouble(
        name="frame lost",
        listed="",
        cast=of_the_board(
            "frame lost", "frame-lost", tables=("order", "position", "execution", "margin"), after_s=_PICTURE_S
        ),
    ),
    Trouble(
        name="frame garbled",
        listed="",
        cast=of_the_board(
            "frame garbled",
            "frame-garbled",
            tables=TABLES,
            parameters=lambda random: {"form": random.choice(("half", "text"))},
        ),
    ),
    Trouble(name="session expired", listed="", cast=of_the_board("session expired", "session-expired")),
    Trouble(
        name="sign-in lost",
        listed="",
        cast=of_the_board("sign-in lost", "sign-in-lost", is_new_only=True, is_mended=True),
    ),
    Trouble(
        name="account stalled",
        listed="",
        cast=of_the_board("account stalled", "account-stalled", is_mended=True),
    ),
    _liquidation_price("liquidation price null", "liquidationPrice null", ("null",)),
    _liquidation_price("liquidation price 0", "liquidationPrice 0", ("0",)),
    _liquidation_price("liquidation price odd", "liquidationPrice a sentinel", SENTINELS),
    Trouble(
        name="no positions",
        listed="empty position list",
        cast=of_the_board("no positions", "positions-missing", lasting_s=(5.0, 90.0)),
    ),
    Trouble(
        name="sources disagree",
        listed="REST and stream disagreeing",
        cast=of_the_board(
            "sources disagree",
            "sources-disagree",
            parameters=_other_quantity,
            is_of_symbol=True,
            lasting_s=(5.0, 60.0),
            after_s=_PICTURE_S,
        ),
    ),
    Trouble(name="reads stale", listed="", cast=of_the_board("reads stale", "reads-stale", lasting_s=(5.0, 60.0))),
    Trouble(
        name="mark of rows stale",
        listed="stale mark",
        cast=of_the_board(
            "mark of rows stale",
            "mark-stale",
            parameters=lambda random: {"where": _where(random)},
            lasting_s=(5.0, 90.0),
        ),
    ),
)
