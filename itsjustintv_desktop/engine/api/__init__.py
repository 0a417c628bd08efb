"""What a screen may ask of the engine beyond `engine.api.actions`: one small file a topic, behind one facade."""

from itsjustintv_desktop.engine.api.api import Api

__all__ = ["Api"]
