"""A stand-in of a LiteLLM proxy: prices, models and chat completions, streamed or not.

A directive in the last user message scripts one answer, and passes any gateway unchanged: ``[[sim tokens=50 cut_after=10]]``
(see ``script``). The wire format follows answers recorded from LiteLLM 1.91.5.
"""
