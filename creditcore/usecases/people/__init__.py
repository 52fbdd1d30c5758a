"""Who has an account, and what happens to it."""
