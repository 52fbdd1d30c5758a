"""The web: pages, APIs, the streaming proxy, and the operator's command line."""
