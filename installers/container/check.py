"""Runs a headless installation the way the container does: `python -m installers.container.check FOLDER`.

FOLDER is an environment made of requirements/headless.txt and the wheel. The settings, the command and the health check
are read from the Containerfile, so all of it is proved but the base image (`make headless-check`).
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILE = Path(__file__).with_name("Containerfile")
_CONFIG = '[twitch]\nclient_id = "of-nobody"\nclient_secret = "of-nobody"\n'
_DEADLINE = 30.0


def settings(text: str) -> dict[str, str]:
    """ENV of the final stage, but for PATH."""
    final = text.split("\nFROM ")[-1].replace("\\\n", " ")
    found = re.search(r"^ENV (.*)$", final, re.MULTILINE)
    if found is None:
        raise ValueError("the Containerfile sets no ENV")
    return {name: value for name, value in re.findall(r"(\w+)=(\S+)", found[1]) if name != "PATH"}


def words(text: str, instruction: str) -> list[str]:
    """The command line of the last such instruction, which is written as JSON."""
    found = re.findall(rf"^{instruction}[^\[\n]*(\[.*\])$", text, re.MULTILINE)
    return [str(word) for word in json.loads(found[-1])]


def check(environment: Path, folder: Path) -> float:
    """Start it on an empty folder, ask for its health, stop it. Seconds to its ready; RuntimeError if not well."""
    text = FILE.read_text(encoding="utf-8")
    (folder / "config.toml").write_text(_CONFIG, encoding="utf-8")
    ours = settings(text) | {
        "ITSJUSTINTV_CONFIG": str(folder / "config.toml"), "ITSJUSTINTV_DATA_DIR": str(folder / "data"),
        "ITSJUSTINTV_SERVER_PORT": "0", "ITSJUSTINTV_PASSPHRASE": "of nobody",
        "ITSJUSTINTV_SECRETS_STORE": "passphrase",
        "ITSJUSTINTV_TWITCH_API_URL": "http://127.0.0.1:9/helix", "ITSJUSTINTV_TWITCH_AUTH_URL": "http://127.0.0.1:9",
    }  # fmt: skip
    environ = {"PATH": f"{environment / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), **ours}
    began = time.monotonic()
    command = [*words(text, "ENTRYPOINT"), *words(text, "CMD")]
    program = subprocess.Popen(command, env=environ, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        line = program.stdout.readline()
        took = time.monotonic() - began
        if not line.startswith("ready http://0.0.0.0:"):
            raise RuntimeError(f"it is not ready: {line!r}")
        health = words(text, "HEALTHCHECK")
        asked = subprocess.run(health, env=environ, cwd=folder, timeout=_DEADLINE, check=False)
        if asked.returncode != 0:
            raise RuntimeError(f"{' '.join(health)} says that it is not well")
        with_qt = subprocess.run(["python", "-c", "import PySide6"], env=environ, capture_output=True, check=False)
        if with_qt.returncode == 0:
            raise RuntimeError("Qt is in the headless installation")
    finally:
        program.send_signal(signal.SIGTERM)
        code = program.wait(_DEADLINE)
    if code != 0:
        raise RuntimeError(f"it ended with {code}")
    return took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        seconds = check(Path(sys.argv[1]).resolve(), Path(temporary))
    installed = sum(path.stat().st_size for path in Path(sys.argv[1]).rglob("*") if path.is_file())
    print(f"headless: {installed / 1e6:.0f} MB, ready after {seconds:.2f} s, its health check says well")
