"""The side-by-side benchmark: everything it measures runs on this machine, in one run.

``make bench`` sets up the upstream stand-in, the load generators, the gateway on both
stores and the peers it is compared with; measures them in turns; and prints one report.
How each figure is made: ``docs/performance.md``.
"""
