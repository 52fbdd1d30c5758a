"""Stand-ins for the outside services, spoken to over real HTTP.

The gateway's own adapters talk to these servers unchanged; only base URLs differ. They serve the
demo, the tests and the benchmark, and they misbehave on request: duplicates, late events, rate
limits, hangs, cut streams, missing usage.

    python -m sandbox --port 8001 --webhook-url http://127.0.0.1:8000/payments/paystack

Production never starts them.
"""
