"""How an account stands, its rows, and what is booked on its wallets."""
