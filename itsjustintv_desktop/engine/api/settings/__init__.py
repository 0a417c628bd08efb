"""What a person changes from the desktop: config, streamers, destinations, secrets. One file a topic."""

from itsjustintv_desktop.engine.api.settings.settings import Settings

__all__ = ["Settings"]
