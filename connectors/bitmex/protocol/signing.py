"""Request signatures and the WebSocket sign-in message.

A signature is the lower-case hex HMAC-SHA256 of verb, path with query, expiry and body, joined without separators,
keyed with the secret. Path and body are exactly what goes over the wire; the expiry is in whole seconds since 1970 UTC.

Source: www.bitmex.com/app/apiKeysUsage (with the published vectors that the tests check).
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from config.credentials import Secret, SigningKey
from connectors.bitmex.endpoints import REALTIME_PATH


def signature(secret: Secret, *, verb: str, path: str, expires_s: int, body: bytes = b"") -> str:
    """Return the signature of one request; `path` includes `?` and the query as sent."""
    message = f"{verb}{path}{expires_s}".encode() + body
    return hmac.new(secret.reveal().encode(), message, hashlib.sha256).hexdigest()


def signed_headers(
    credentials: SigningKey, *, verb: str, path: str, expires_s: int, body: bytes = b""
) -> dict[str, str]:
    """Return the three headers of a private request."""
    return {
        "api-key": credentials.key_id,
        "api-expires": str(expires_s),
        "api-signature": signature(credentials.secret, verb=verb, path=path, expires_s=expires_s, body=body),
    }


def sign_in_frame(credentials: SigningKey, *, expires_s: int) -> bytes:
    """Return the message that signs a WebSocket connection in. It holds a signature: never log it, nor its echo."""
    proof = signature(credentials.secret, verb="GET", path=REALTIME_PATH, expires_s=expires_s)
    return msgspec.json.encode({"op": "authKeyExpires", "args": [credentials.key_id, expires_s, proof]})
