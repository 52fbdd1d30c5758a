"""Which device a person uses, and roughly where: enough to know one's own sessions by."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from flask import request

from creditcore.domain.activity import Actor
from creditcore.domain.sessions import Device

# The first that fits counts: nearly every browser also names those it descends from.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/|\bOpera"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"\bChrome/|\bCriOS/|\bHeadlessChrome/"),
    ("Safari", r"\bSafari/"),
    ("curl", r"\bcurl/"),
    ("A script", r"\bpython|\bGo-http|\bJava/|\bokhttp"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone"),
    ("iPad", r"\biPad"),
    ("Android", r"\bAndroid"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Windows", r"\bWindows"),
    ("macOS", r"\bMac OS X|\bMacintosh"),
    ("Linux", r"\bLinux|\bX11\b"),
)


def here() -> Device:
    """Return where this request comes from."""
    return Device(
        name=in_plain_words(request.headers.get("User-Agent", "")),
        place=network_of(request.remote_addr or ""),
    )


def actor_of(actor_id: str) -> Actor:
    """Return who makes this request, and from where, as the activity log keeps it."""
    return Actor.at(
        actor_id, address=request.remote_addr, user_agent=request.headers.get("User-Agent")
    )


def in_plain_words(user_agent: str) -> str:
    """Return such as ``Firefox on Linux``; nothing of what the client sent is repeated."""
    text = user_agent[:512]
    browser, system = _first(_BROWSERS, text), _first(_SYSTEMS, text)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown browser"


def network_of(address: str) -> str:
    """Return the network of an address, /24 or /48: the place, never the exact line."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return str(ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, text, re.IGNORECASE)), "")
