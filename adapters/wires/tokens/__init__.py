"""How many tokens a text is at most."""

from adapters.wires.tokens.spared import MOST_BYTES, spared_in, spared_in_json

__all__ = ["MOST_BYTES", "spared_in", "spared_in_json"]
