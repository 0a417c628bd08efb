"""itsjustintv desktop: announces when a Twitch channel goes live."""

__version__ = "0.1.0"
