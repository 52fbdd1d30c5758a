"""How many tokens a text is at most."""

from adapters.wires.tokens.spared import spared_in, spared_in_json

__all__ = ["spared_in", "spared_in_json"]
