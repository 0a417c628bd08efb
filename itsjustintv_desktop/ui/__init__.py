"""The window and the tray icon. Knows the engine by its public surface alone, and reaches it through bridge.py."""
