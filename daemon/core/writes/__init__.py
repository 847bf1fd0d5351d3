"""Requests that change something at the venue: made in one place, remembered until their fate is proved."""
