"""How a secret may be spelt in something written: as it is, encoded, escaped, cut in half."""

from __future__ import annotations

import base64
import codecs
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote


def spellings(secret: str) -> tuple[bytes, ...]:
    """Return every way in which a secret might stand in a file.

    Base64 depends on where in the encoded text the secret begins, so its whole middle is looked for at each of the
    three places.
    """
    raw = secret.encode()
    found = {
        raw,
        raw[::-1],
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote(secret, safe="").encode(),
        "".join(f"%{each:02X}" for each in raw).encode(),
        json.dumps(secret)[1:-1].encode(),
        "".join(f"\\u{ord(each):04x}" for each in secret).encode(),
        "".join(f"\\x{each:02x}" for each in raw).encode(),
        codecs.encode(secret, "rot13").encode(),
        secret.encode("utf-16-le"),
        base64.b32encode(raw).rstrip(b"="),
        *_base64(raw),
        raw[: len(raw) // 2],
        raw[len(raw) // 2 :],
    }
    return tuple(sorted(found))


def _base64(raw: bytes) -> Iterator[bytes]:
    for lead in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * lead + raw)
            yield whole[4:-4] if lead else whole[:-4]


def places_of(secret: str, *, folder: Path, texts: dict[str, bytes]) -> list[str]:
    """Return where a secret stands, in files below a folder and in texts by name; names of files count as well."""
    written = dict(texts)
    for path in folder.rglob("*"):
        written[f"name of {path}"] = os.fsencode(path.name)
        if path.is_file():
            written[str(path)] = path.read_bytes()
    sought = spellings(secret)
    return [f"{name}: {each!r}" for name, content in written.items() for each in sought if each in content]
