"""itsjustintv desktop: tells the world when a Twitch channel goes live."""

__version__ = "0.1.0"
