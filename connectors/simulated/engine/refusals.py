"""Refusals: requests the venue answers with an HTTP error instead of a row.

Why: clients match on BitMEX's texts, so the words stand in one place and are never made up at a
call site. Source: www.bitmex.com/app/restAPIMessages.
"""

from __future__ import annotations

BAD_REQUEST = 400
NOT_FOUND = 404
INSUFFICIENT_BALANCE_CODE = "19000"


class Refused(Exception):
    """The venue said no; nothing has changed.

    Attributes:
        status: HTTP status of the answer.
        name: Class in the error body, such as `HTTPError`.
        message: The venue's own text.
        details: Number as string, only with `CodedHTTPError`.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = BAD_REQUEST,
        name: str = "HTTPError",
        details: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.details = details


def insufficient_balance(required: int, currency: str) -> Refused:
    """Return the refusal of an order the account cannot pay for.

    Args:
        required: Missing amount, in minor units of the currency.
        currency: Settlement currency, such as `XBt`.
    """
    return Refused(
        f"Account has insufficient Available Balance, {required} {currency} required",
        name="CodedHTTPError",
        details=INSUFFICIENT_BALANCE_CODE,
    )


def not_found() -> Refused:
    """Return the refusal of an id that names nothing."""
    return Refused("Not Found", status=NOT_FOUND)
