"""Positions that end by the venue's hand: liquidation, deleveraging, settlement."""
