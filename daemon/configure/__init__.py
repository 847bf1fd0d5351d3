"""`seawall config`: what counts, where it comes from, what it means, and what two settings differ in."""
