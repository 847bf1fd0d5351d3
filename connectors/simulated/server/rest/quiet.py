"""Endpoints about things this exchange does not have: nobody chats, stakes or deposits here.

Why: clients and dashboards call them at start and take a 404 for a broken connection; each answers
with the venue's shape and nothing in it. Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from connectors.simulated.engine.refusals import Refused, not_found
from connectors.simulated.server.rest.call import Answer, Call

NO_DEPOSITS = "embedded-exchange-takes-no-deposits"


def get_nothing(_call: Call) -> Answer:
    """Return an empty list: announcements, leaderboards, histories, stakes, addresses."""
    return []


def get_chat_channels(_call: Call) -> Answer:
    """`GET /chat/channels`."""
    return [{"id": 1, "name": "English", "isPrivate": False}]


def get_chat_connected(call: Call) -> Answer:
    """`GET /chat/connected`: open real-time sessions."""
    sessions = call.venue.hub.listener_count()
    return {"users": sessions, "bots": sessions}


def get_chat_pinned(_call: Call) -> Answer:
    """`GET /chat/pinned`."""
    return {"pinnedMessage": None}


def get_leaderboard_name(_call: Call) -> Answer:
    """`GET /leaderboard/name`: the account's alias."""
    return {"name": None}


def get_affiliate_status(_call: Call) -> Answer:
    """`GET /user/affiliateStatus`: nobody referred this account."""
    return {"referrerAccount": None, "referralDiscount": None, "affiliatePayout": None}


def get_deposit_address(_call: Call) -> Answer:
    """`GET /user/depositAddress`: a text that no wallet takes for an address."""
    return NO_DEPOSITS


def get_user_events(_call: Call) -> Answer:
    """`GET /userEvent`: log of logins and settings."""
    return {"userEvents": []}


def get_referral_discount(_call: Call) -> Answer:
    """`GET /user/checkReferralCode`: no code gives a discount here."""
    return 0


def get_withdrawal_fee(call: Call) -> Answer:
    """`GET /user/minWithdrawalFee`: leaving costs nothing here."""
    return {"currency": call.params.text("currency") or "XBt", "fee": 0, "minFee": 0}


def get_deposit_information(call: Call) -> Answer:
    """`GET /user/depositAddressInformation`."""
    currency, network = call.params.text("currency") or "XBt", call.params.text("network") or "btc"
    return {"currency": currency, "network": network, "address": NO_DEPOSITS, "memo": None}


def get_volume_rank(_call: Call) -> Answer:
    """`GET /userStats/volumeRank`: nobody is ranked."""
    return {"rank": None, "volume": 0}


def no_such_withdrawal(_call: Call) -> Answer:
    """A withdrawal leaves at once here: there is none to cancel or confirm."""
    raise not_found()


def no_such_account(_call: Call) -> Answer:
    """`POST /user/walletTransfer`: no account is paired with another one here."""
    raise Refused("Invalid account")
