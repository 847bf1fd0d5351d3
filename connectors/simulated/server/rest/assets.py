"""Currencies of the venue's wallets: scales, networks, smallest withdrawals.

Why: clients turn minor units into coins by this table and by nothing else. Taken from a recorded answer
of 2026-05; only bitcoin and tether are margin currencies, and an account here holds no others.

Units: minimums are minor units, of which one coin has `10 ** scale`.
Source: `GET /wallet/assets`, www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from dataclasses import dataclass

_MARGIN = frozenset({"XBt", "USDt"})
_WITH_MEMO = frozenset({"XRp", "ATOm"})
_LARGEST_SHARE = 10**7  # of the smallest deposit

# currency, asset, scale, smallest withdrawal, networks, name
_RECORDED = """
XBt XBT 8 1000 btc Bitcoin
USDt USDT 6 1000000 optimism,arbitrum,sol,tron,bsc,eth USD Tether
Gwei ETH 9 500000 bsc,eth,optimism,arbitrum,base Ethereum
AAVe AAVE 8 30000000 eth Aave
ADa ADA 8 200000000 ada Cardano
APe APE 8 100000000 eth ApeCoin
ATOm ATOM 6 40000 cosmos Cosmos
AVAx AVAX 8 7000000 avax Avalanche (C-Chain)
BCh BCH 8 350000 bch Bitcoin Cash
BMEx BMEX 6 10000000 eth BitMEX Token
BNb BNB 8 200000 bsc Binance Coin (BSC)
DAi DAI 6 10000000 eth Dai
DOGe DOGE 6 8000000 doge Dogecoin
DOt DOT 8 15000000 dot Polkadot (Relay)
HYPe HYPE 8 30000000 hyperevm Hyperliquid
LAMp SOL 9 20000000 sol Solana
LINk LINK 8 100000000 eth Chainlink
LTc LTC 8 20000 ltc Litecoin
MAMUSd MAMUSD 6 0 bitmex Multi Asset Margin USD
NEAr NEAR 8 30000000 near NEAR Protocol
POl POL 9 10000000000 polygon,eth POL (Polygon)
SUSHi SUSHI 8 300000000 eth Sushi Token
TRx TRX 6 1000000 tron Tron
UNi UNI 8 100000000 eth Uniswap
USDc USDC 6 1000000 base,optimism,arbitrum,sol,eth,avax USD Coin
USDe USDE 6 1000000 eth Ethena USDe
XRp XRP 6 10000000 xrp XRP
XTz XTZ 8 67000000 xtz Tezos
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """One currency.

    Attributes:
        currency: Minor unit, such as `XBt`.
        name: In words.
        asset: Major unit, such as `XBT`.
        scale: Decimal places between the two.
        smallest: Least that may be withdrawn, minor units.
        networks: Where it travels.
    """

    currency: str
    name: str
    asset: str
    scale: int
    smallest: int
    networks: tuple[str, ...]

    def row(self) -> dict[str, object]:
        """Return the row of `GET /wallet/assets`."""
        return {
            "asset": self.asset,
            "currency": self.currency,
            "majorCurrency": self.asset,
            "name": self.name,
            "currencyType": "Synthetic" if self.currency == "MAMUSd" else "Crypto",
            "scale": self.scale,
            "enabled": True,
            "isMarginCurrency": self.currency in _MARGIN,
            "memoRequired": self.currency in _WITH_MEMO,
            "minDepositAmount": self.smallest,
            "minWithdrawalAmount": self.smallest,
            "maxWithdrawalAmount": self.smallest * _LARGEST_SHARE,
            "networks": [self._network(name) for name in self.networks],
        }

    def _network(self, name: str) -> dict[str, object]:
        return {
            "asset": name,
            "tokenAddress": None,
            "depositEnabled": False,
            "withdrawalEnabled": False,
            "withdrawalFee": 0,
            "minFee": 0,
            "maxFee": 0,
        }


def _asset(line: str) -> Asset:
    currency, asset, scale, smallest, networks, name = line.split(maxsplit=5)
    return Asset(
        currency=currency,
        name=name,
        asset=asset,
        scale=int(scale),
        smallest=int(smallest),
        networks=tuple(networks.split(",")),
    )


ASSETS = tuple(_asset(line) for line in _RECORDED.strip().splitlines())
