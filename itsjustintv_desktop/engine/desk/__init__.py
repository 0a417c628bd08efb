"""What a screen may ask of the engine beyond `engine.wishes`: one small file a topic, behind one facade."""

from itsjustintv_desktop.engine.desk.desk import Desk

__all__ = ["Desk"]
