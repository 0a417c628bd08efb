"""What the operating system gives a desktop program: one instance, starting with the machine, waking, notifications."""

APP_ID = "io.github.itsjustintv.Desktop"
"""Reverse-DNS name of the .desktop file, the metainfo, the icon and the LaunchAgent."""
