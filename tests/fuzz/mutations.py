"""Frames that are nearly right: the mutations that a parser meets in the field, drawn from a `Random`.

Why beside a fuzzer's own: blind changes of bytes hardly ever give valid JSON with one cell that cannot be meant, and
those cells are where parsers break.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

ODD_CELLS: Final[tuple[Any, ...]] = (
    None,
    "",
    " ",
    True,
    False,
    0,
    -1,
    1,
    0.5,
    -0.0,
    1e-30,
    1e30,
    1e308,
    10**18,
    -(10**18),
    2**63,
    2**64,
    10**30,
    "NaN",
    "Infinity",
    "null",
    "\u0000",
    "\ud800",
    "٣",
    "x" * 3000,
    [],
    {},
    [[]],
    {"a": {"b": [1]}},
    "2024-13-45T99:99:99Z",
    "0001-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999+14:00",
    "0001-01-01T00:00:00+14:00",
    "2000-01-01T08:00:00.000Z",
    "sideways",
    "-1",
    "1e5",
)
_LITERALS: Final = (b"1e999", b"-1e999", b"NaN", b"1" * 400, b"1e-400", b'"\\ud800"', b"[" * 2000, b'{"a":' * 1500)
"""Written into the bytes: no encoder makes them."""
_WORDS: Final = ("partial", "insert", "update", "delete", "upsert", "", "order", "position", "margin", "instrument")


def mutated(content: bytes, random: Random) -> bytes:
    """Return the frames with one to four things wrong."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        content = random.choice(_WAYS)(content, random)
    return content


def _cell(content: bytes, random: Random) -> bytes:
    """Some value in one frame becomes an odd one, goes, or comes twice."""
    lines = content.split(b"\n")
    place = random.randrange(len(lines))
    try:
        value = json.loads(lines[place])
        _disturb(value, random)
        lines[place] = json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        lines[place] = _bytes(lines[place], random)
    return b"\n".join(lines)


def _disturb(value: Any, random: Random) -> None:
    places = list(_places(value))
    if not places:
        return
    holder, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[f"new{random.randrange(9)}"] = holder[key]
        case 2 if isinstance(holder, list):
            holder.insert(key, holder[key])
        case 3:
            holder[key] = random.choice(_WORDS)
        case _:
            holder[key] = random.choice(ODD_CELLS)


def _places(value: Any) -> Any:
    if isinstance(value, dict | list):
        for key, inside in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(inside)


def _literal(content: bytes, random: Random) -> bytes:
    """A value becomes something that no encoder writes."""
    cells = [place for place, sign in enumerate(content) if sign == ord(":")]
    if not cells:
        return content + random.choice(_LITERALS)
    begin = random.choice(cells) + 1
    end = next((place for place in range(begin, len(content)) if content[place] in b",}]"), len(content))
    return content[:begin] + random.choice(_LITERALS) + content[end:]


def _bytes(content: bytes, random: Random) -> bytes:
    """Bytes change, go, or come in between."""
    if not content:
        return bytes([random.randrange(256)])
    place = random.randrange(len(content))
    match random.randrange(4):
        case 0:
            return content[:place] + bytes([random.randrange(256)]) + content[place + 1 :]
        case 1:
            return content[:place]
        case 2:
            return content[:place] + content[place + random.randrange(1, 9) :]
        case _:
            return (
                content[:place] + bytes(random.randrange(256) for _ in range(random.randrange(1, 5))) + content[place:]
            )


def _order(content: bytes, random: Random) -> bytes:
    """Frames change places, come twice, or one is missing."""
    lines = content.split(b"\n")
    if len(lines) < 2:
        return content + b"\n" + content
    match random.randrange(3):
        case 0:
            random.shuffle(lines)
        case 1:
            lines.insert(random.randrange(len(lines)), random.choice(lines))
        case _:
            lines.pop(random.randrange(len(lines)))
    return b"\n".join(lines)


_WAYS: Final = (_cell, _cell, _cell, _literal, _bytes, _order)
