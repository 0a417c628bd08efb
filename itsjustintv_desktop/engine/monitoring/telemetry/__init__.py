"""OpenTelemetry: what the engine does, as one trace an event and as metrics (docs/telemetry.md).

Nothing here imports OpenTelemetry but `exporter.py` and `recorder.py`, and those are imported when it is switched on.
"""
