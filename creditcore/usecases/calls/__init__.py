"""One inference call: what it may cost, its hold, its relay, its receipt."""
