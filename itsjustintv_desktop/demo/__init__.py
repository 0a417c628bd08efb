"""The demo: the real engine against the simulator, with a script, a teller and a verdict."""
