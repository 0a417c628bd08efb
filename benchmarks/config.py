"""Config files for the program under measurement, and how to start it on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import messages


def write(
    folder: Path, *, streamers: int, destinations: Mapping[str, str] | None = None, store: str = "memory"
) -> None:
    """`folder`/config.toml: so many streamers, each announced to all of `destinations` (name -> address).

    `store` is where the program keeps secrets of its own.
    """
    names = ", ".join(f'"{name}"' for name in destinations or {})
    parts = [
        f'[server]\nport = 0\n[secrets]\nstore = "{store}"\n[twitch]\nwebhook_secret = "{messages.SECRET}"\n',
    ]
    parts += [f'[destinations.{name}]\nurl = "{url}"\n' for name, url in (destinations or {}).items()]
    parts += [
        f'[streamers.{messages.login(number)}]\nlogin = "{messages.login(number)}"\n'
        f'user_id = "{messages.user_id(number)}"\ndestinations = [{names}]\n'
        for number in range(streamers)
    ]
    (folder / "config.toml").write_text("".join(parts), encoding="utf-8")


def serve(folder: Path) -> Sequence[str]:
    """Arguments of Python that run the program on the files in `folder`."""
    program = ["-m", "itsjustintv_desktop", "--config", str(folder / "config.toml")]
    return [*program, "--data-dir", str(folder / "data"), "serve"]
