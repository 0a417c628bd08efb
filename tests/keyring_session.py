"""A real Secret Service (GNOME Keyring) on a D-Bus of its own, with a home of its own, for tests.

    with private_keyring() as environment:
        subprocess.run([...], env={**os.environ, **environment})

The bus can start no other service, so an unlock question is dismissed at once unless a test provides a prompter.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from unittest import mock

import pytest

from itsjustintv_desktop.engine.storage.secrets import secret_service

PASSWORD = "a test's own password"
"""Unlocks the keyring of the session; nothing real is in it."""

_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
_DEADLINE = 10.0


def require_program(name: str, package: str) -> str:
    """The path of a program, or the test is skipped with what to install."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian package {package}; `make system-deps`)")
    return path


class KeyringSession:
    """The running session. `environment` is what a process needs to use it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.runtime = home / "run"
        self.environment = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_DATA_HOME": str(home / "share"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home / 'bus'}",
        }
        self._bus: subprocess.Popen[bytes] | None = None
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """The bus and an unlocked keyring."""
        bus = require_program("dbus-daemon", "dbus")
        require_program("gnome-keyring-daemon", "gnome-keyring")
        self.runtime.mkdir(mode=0o700)
        config = self.home / "bus.conf"
        config.write_text(_BUS_CONFIG.format(socket=self.home / "bus"))
        self._bus = self._run([bus, f"--config-file={config}", "--nofork", "--nopidfile"])
        wait_until(lambda: (self.home / "bus").exists(), "the bus to listen")
        self.start_daemon(unlocked=True)

    def start_daemon(self, *, unlocked: bool) -> None:
        """The keyring alone, as after a login with or without a password."""
        daemon = require_program("gnome-keyring-daemon", "gnome-keyring")
        arguments = [daemon, "--foreground", "--components=secrets"]
        self._daemon = self._run([*arguments, "--unlock"] if unlocked else arguments, PASSWORD if unlocked else "")
        wait_until(self._serves, "the keyring to be on the bus")

    def lock(self) -> None:
        """What a lock of the session does."""
        with self.applied():
            found = secret_service.collection()
            with closing(found.connection):
                found.lock()

    def unlock(self) -> None:
        """What a later login does: hand the password to the daemon's control socket, as pam_gnome_keyring.

        One byte of credentials, then length, operation 1 (unlock), length of the password, the password;
        the answer is length and result, 0 for success.
        """
        password = PASSWORD.encode()
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(_DEADLINE)
            control.connect(str(self.runtime / "keyring" / "control"))
            control.sendall(b"\0")
            control.sendall(struct.pack(">III", 12 + len(password), 1, len(password)) + password)
            assert control.recv(8) == struct.pack(">II", 8, 0), "the keyring did not take the password"

    def pause(self) -> None:
        """The daemon hangs: it is on the bus and answers nothing."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGCONT)

    def stop_daemon(self) -> None:
        _end(self._daemon)
        self._daemon = None

    def stop(self) -> None:
        """Daemon and bus are gone."""
        self.stop_daemon()
        _end(self._bus)
        self._bus = None

    @contextmanager
    def applied(self) -> Iterator[None]:
        """This process uses the session meanwhile."""
        with mock.patch.dict(os.environ, self.environment):
            os.environ.pop("PYTHON_KEYRING_BACKEND", None)
            yield

    def _run(self, arguments: list[str], given: str = "") -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ.get("PATH", ""), **self.environment}
        process = subprocess.Popen(
            arguments,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        process.stdin.write(given.encode())
        process.stdin.close()
        return process

    def _serves(self) -> bool:
        import secretstorage

        try:
            with self.applied():
                bus, path = secret_service.connect()
                with closing(bus):
                    secretstorage.Collection(bus, path)
        except secretstorage.SecretStorageException:
            return False
        return True


def wait_until(condition: object, what: str, deadline: float = _DEADLINE) -> None:
    """Until `condition()` is true. Fails the test after `deadline` seconds."""
    assert callable(condition)
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


@contextmanager
def keyring_session() -> Iterator[KeyringSession]:
    """A started session, unlocked. The test is skipped where there can be none."""
    if sys.platform != "linux":
        pytest.skip("the Secret Service is Linux' keyring")
    with ExitStack() as stack:
        session = KeyringSession(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyring-"))))
        stack.callback(session.stop)
        session.start()
        yield session


@contextmanager
def private_keyring(unlocked: bool = True) -> Iterator[dict[str, str]]:
    """The environment of a started session, for a program under test."""
    with keyring_session() as session:
        if not unlocked:
            session.lock()
        yield dict(session.environment)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_DEADLINE)
