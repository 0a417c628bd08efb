"""What may be shown of an address and of headers: never what gives access."""

from __future__ import annotations

from urllib.parse import urlsplit

MASK = "••••••"


def masked_address(url: str) -> str:
    """Scheme, host and port; dots for the rest, which for Discord and Slack is the secret. "" for no address."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return MASK
    if not parts.scheme or not host:
        return MASK
    name = f"[{host}]" if ":" in host else host
    rest = f"/{MASK}" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{rest}"
