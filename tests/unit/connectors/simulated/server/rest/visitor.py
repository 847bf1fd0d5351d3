"""Somebody at the door of an exchange that runs in this process: signed requests without sockets.

Why: the whole route table can be tried thousands of times a second, and what is answered is what a socket would carry.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.fates import Reply
from connectors.simulated.server.rest.arrivals import HttpRequest
from connectors.simulated.server.rest.door import Door
from connectors.simulated.server.settings import ExchangeSettings, RateLimits
from connectors.simulated.server.venue import Venue
from tests.integration.exchange_client import prices

NOW_MS = 1_782_864_000_000
HOME = "127.0.0.1"


class Visitor:
    """One exchange whose prices and clock stand still, and the requests of its accounts."""

    def __init__(self, **settings: Any) -> None:
        wanted: dict[str, Any] = {"limits": RateLimits(is_on=False), "accounts": 2}
        self.now_ms = NOW_MS
        self.venue = Venue(ExchangeSettings(**{**wanted, **settings}), lambda: self.now_ms)
        self.venue.open({})
        self.venue.submit(prices())
        self.door = Door(self.venue)

    def key(self, name: str = "trading", account: int | None = None) -> ApiKey:
        """Return one of the ready-made keys."""
        owner = self.venue.accounts[0] if account is None else account
        return next(key for key in self.venue.keyring.of_account(owner) if key.name == name)

    def request(
        self,
        verb: str,
        target: str,
        body: bytes = b"",
        *,
        key: ApiKey | None = None,
        address: str = HOME,
        content_type: str = "application/json",
        **fields: str,
    ) -> HttpRequest:
        """Return a request with a target from `/api/v1` on, signed if there is a key; fields replace headers."""
        path, _, query = target.partition("?")
        headers = {"content-type": content_type}
        if key is not None:
            expires = str(self.now_ms // 1_000 + 5)
            message = f"{verb}{target}{expires}".encode() + body
            digest = hmac.new(key.secret.encode(), message, hashlib.sha256).hexdigest()
            headers |= {"api-key": key.key_id, "api-expires": expires, "api-signature": digest}
        headers |= {name.replace("_", "-"): value for name, value in fields.items()}
        return HttpRequest(
            verb=verb, path=path, raw_path=path, query=query.encode(), fields=headers, body=body, address=address
        )

    def send(self, verb: str, target: str, body: bytes = b"", **options: Any) -> Reply:
        """Send what `request` makes."""
        return self.door.reply(self.request(verb, target, body, **options))

    def ask(
        self, verb: str, path: str, fields: dict[str, Any] | None = None, *, key: ApiKey | None = None
    ) -> tuple[int, Any]:
        """Send fields signed, in the query of a GET and the JSON body of the rest; return status and JSON."""
        target, body = f"/api/v1{path}", b""
        if fields and verb == "GET":
            texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in fields.items()}
            target += "?" + urlencode(texts)
        elif fields:
            body = json.dumps(fields).encode()
        reply = self.send(verb, target, body, key=key or self.key())
        return reply.status, json.loads(reply.body)

    def refusal(
        self, verb: str, path: str, fields: dict[str, Any] | None = None, *, key: ApiKey | None = None
    ) -> tuple[int, str]:
        """Send as `ask` does; return status and message of the error."""
        status, answer = self.ask(verb, path, fields, key=key)
        return status, answer["error"]["message"]
