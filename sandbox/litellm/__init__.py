"""A stand-in of a LiteLLM proxy: prices, models and inference on each of its protocols.

A directive in the last user message, such as ``[[sim tokens=50 cut_after=10]]``, scripts one answer
and passes any gateway unchanged (see ``script``). The wire format follows answers recorded from
LiteLLM 1.91.5 and 1.102.4.
"""
