"""Rows of the venue's public and order tables, column by column."""
