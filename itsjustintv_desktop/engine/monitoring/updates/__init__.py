"""Is there a newer version? A signed list is read once a day; nothing is ever installed. See docs/updates.md."""
