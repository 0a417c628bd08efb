"""What a person changes from the desktop: config, streamers, destinations, secrets. One file a topic."""

from itsjustintv_desktop.engine.desk.editing.editing import Editing

__all__ = ["Editing"]
