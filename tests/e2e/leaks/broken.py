"""The program with faults that quote every secret at hand, or without its redactor.

`python -m tests.e2e.leaks.broken FAULT ... -- [options] serve`
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from typing import Any, NoReturn

from itsjustintv_desktop.engine.delivery import responses
from itsjustintv_desktop.engine.delivery.attempt import Sender
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.engine.redaction import Redactor, redactor
from itsjustintv_desktop.engine.runtime.maintenance import Maintenance
from itsjustintv_desktop.engine.twitch.enrichment import TwitchEnricher
from itsjustintv_desktop.engine.twitch.tokens import AppTokens


def no_redactor() -> None:
    """Nothing is hidden any more."""
    setattr(redactor, "mask", lambda text: text)  # noqa: B010
    setattr(Redactor, "without_known", lambda _, text: text)  # noqa: B010


def no_excerpt() -> None:
    """Answers are kept as they came."""
    responses.clean = lambda data, **_: data.decode("utf-8", "replace")


def attempt() -> None:
    """Each attempt breaks, and the error tells all it knows."""

    async def post(_: Sender, destination: Any, **details: Any) -> NoReturn:
        details.pop("body")
        inner = OSError(f"cannot reach {details['url']}")
        logging.getLogger("some.library").warning("POST %s with %s", details["url"], destination.headers)
        warnings.warn(f"deprecated: {details}", stacklevel=1)
        try:
            raise inner
        except OSError as error:
            raise RuntimeError(f"{destination!r} {details!r}") from error

    setattr(Sender, "post", post)  # noqa: B010


def enrich() -> None:
    """Enriching breaks with the whole config and the token in the error."""

    async def broken(self: TwitchEnricher, *_: Any, **__: Any) -> NoReturn:
        raise ValueError(f"{vars(self)} {_secrets_of(_engines[0])}")

    TwitchEnricher.enrich = broken  # type: ignore[method-assign]


def loops() -> None:
    """A loop of the engine breaks, and so do a thread and a finaliser."""

    async def run(_: Maintenance) -> NoReturn:
        engine = _engines[0]
        await engine.twitch.tokens.get()
        told = _secrets_of(engine)

        def in_thread() -> NoReturn:
            raise KeyError(told)

        class Left:
            def __del__(self) -> None:
                raise RuntimeError(told)

        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()
        Left()
        raise RuntimeError(told)

    Maintenance.run = run  # type: ignore[assignment, method-assign]


def start() -> None:
    """The start breaks at its end: a traceback, and the program is gone."""

    def begin(engine: Engine, *_: Any) -> NoReturn:
        raise RuntimeError(_secrets_of(engine))

    setattr(Engine, "_begin", begin)  # noqa: B010


_engines: list[Engine] = []


def _remember() -> None:
    made = Engine.__init__

    def init(self: Engine, *arguments: Any, **more: Any) -> None:
        made(self, *arguments, **more)
        _engines.append(self)

    Engine.__init__ = init  # type: ignore[method-assign]


def _secrets_of(engine: Engine) -> str:
    tokens: AppTokens = engine.twitch.tokens
    token = tokens._token.access_token if tokens._token else ""
    kept = engine.secrets._home.content
    return (
        f"{engine.live.config!r} token {token} signing {engine.signing.primary} pass {engine._options.environ} "
        f"{dict(kept.items)} {[(each.url, each.secret) for each in kept.destinations.values()]}"
    )


FAULTS = {each.__name__: each for each in (no_redactor, no_excerpt, attempt, enrich, loops, start)}

if __name__ == "__main__":
    at = sys.argv.index("--")
    _remember()
    for name in sys.argv[1:at]:
        FAULTS[name]()
    sys.argv = ["itsjustintv-desktop", *sys.argv[at + 1 :]]
    from itsjustintv_desktop.cli import main

    main()
