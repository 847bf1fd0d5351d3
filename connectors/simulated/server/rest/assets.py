"""Currencies of the venue's wallets: scales, networks, smallest withdrawals.

Why: clients turn minor units into coins by this table and by nothing else. Taken from a recorded answer
of 2026-05; only bitcoin and tether are margin currencies, and an account here holds no others.

Units: minimums are minor units, of which one coin has `10 ** scale`.
Source: `GET /wallet/assets`, www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from dataclasses import dataclass

_MARGIN = frozenset({"XBt", "USDt"})
_WITH_MEMO = frozenset({"XRp", "RLUSd", "ATOm"})
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
AXs AXS 8 20000000 eth Axie Infinity Shard
BCh BCH 8 350000 bch Bitcoin Cash
BMEx BMEX 6 10000000 eth BitMEX Token
BNb BNB 8 200000 bsc Binance Coin (BSC)
BONk BONK 5 10000000000 sol Bonk
BUSd BUSD 6 100000 eth Binance USD
CRo CRO 6 90000000 eth Cronos
DAi DAI 6 10000000 eth Dai
DOGe DOGE 6 8000000 doge Dogecoin
DOt DOT 8 15000000 dot Polkadot (Relay)
fjUSDt fjUSDT 6 10000000 eth fija USDT
FTm FTM 8 4000000000 eth Fantom
FTr FTR 5 10000000 avax,eth Fautor
FTt FTT 8 37000000 eth FTX Token
GATa GATA 8 500000000 bsc Gata
GOAt GOAT 8 3000000000 sol Goatseus Maximus
HYPe HYPE 8 30000000 hyperevm Hyperliquid
KAMa KAMA 5 200000000 sol Kamala Harris
LAMp SOL 9 20000000 sol Solana
LINk LINK 8 100000000 eth Chainlink
LOt LOT 5 20000000 bsc League of Traders
LTc LTC 8 20000 ltc Litecoin
MAMUSd MAMUSD 6 0 bitmex Multi Asset Margin USD
MANa MANA 8 1000000000 eth Decentraland
MATIc MATIC 8 700000000 eth Matic Token
NEAr NEAR 8 30000000 near NEAR Protocol
OKb OKB 8 65000000 eth OKB
POl POL 9 10000000000 polygon,eth POL (Polygon)
RLUSd RLUSD 6 10000000 xrp,eth Ripple USD
s S 8 1000000000 sonic Sonic
SANd SAND 8 1000000000 eth Sand
SHIb SHIB 5 80000000000 eth Shiba Inu
STLs STLS 8 1500000000 eth STELSI
SUSHi SUSHI 8 300000000 eth Sushi Token
TAXTRUMp TAXTRUMP 8 500000000 eth MAGA (Taxed) Withdrawal Only
TRUMp TRUMP 8 100000000 eth MAGA (Taxless)
TRx TRX 6 1000000 tron Tron
UNi UNI 8 100000000 eth Uniswap
USDc USDC 6 1000000 base,optimism,arbitrum,sol,eth,avax USD Coin
USDe USDE 6 1000000 eth Ethena USDe
WBTc WBTC 8 40000 eth Wrapped BTC
XAUt XAUT 6 2500 eth Tether Gold
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
