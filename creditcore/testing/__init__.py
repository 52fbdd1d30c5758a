"""In-memory adapters and the contracts that every adapter passes; embedders may use both."""
