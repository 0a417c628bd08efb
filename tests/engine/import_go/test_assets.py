"""The token, the pictures and the certificate: taken over where they can be used, else it is said why not."""

from __future__ import annotations

import base64
import datetime as dt
import os
import stat
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.import_go.report import State
from itsjustintv_desktop.engine.ingress.acme.store import self_signed
from itsjustintv_desktop.engine.storage.secrets import TWITCH_APP_TOKEN, SecretStore
from itsjustintv_desktop.engine.twitch.profiles import Profile
from tests.engine.import_go.gofolder import CONFIG, PASSPHRASE, PNG, GoFolder, over, payload, when
from tests.engine.twitch.rig import Rig, running_rig
from tests.support.clock import START

TOKEN = "an-app-token-of-the-go-service"


def token(**more: Any) -> dict[str, Any]:
    found = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 5_000_000, "expires_at": when(5_000_000)}
    return {**found, **more}


async def kept(go: GoFolder) -> str | None:
    store = SecretStore.open("passphrase", vault=go.paths.vault, passphrase=PASSPHRASE, clock=SystemClock())
    try:
        return await store.get(TWITCH_APP_TOKEN)
    finally:
        await store.close()


async def test_a_token_that_holds_is_kept_once_and_never_shown(go: GoFolder) -> None:
    go.write("tokens.json", token())
    moved = await go.move()
    part = next(part for part in moved.parts if part.name == "tokens.json")
    assert (part.state, part.taken) == (State.DONE, 1)
    assert TOKEN not in str(moved)
    assert TOKEN in (await kept(go) or "")
    again = await go.part("tokens.json")
    assert (again.taken, again.already) == (0, 1)


async def test_our_own_token_stays(go: GoFolder) -> None:
    go.write("tokens.json", token())
    await go.move()
    go.write("tokens.json", token(access_token="a-later-token-of-it"))
    assert (await go.part("tokens.json")).already == 1
    assert TOKEN in (await kept(go) or "")


async def test_the_program_uses_it_without_asking_for_another(go: GoFolder) -> None:
    async with running_rig() as rig:
        await _is_used(go, rig)


async def _is_used(go: GoFolder, rig: Rig) -> None:
    granted = await rig.tokens.get()
    asked = rig.simulator.calls["token"]
    expires = go.clock.now() + 5_000_000
    go.config(CONFIG.replace("the-client-id", granted[0]))
    go.write("tokens.json", token(access_token=granted[1], expires_at=when(expires - START)))
    await go.move()
    stored = await kept(go)
    assert stored is not None
    await rig.store.set(TWITCH_APP_TOKEN, stored)
    fresh = rig.new_tokens()
    assert await fresh.get() == granted
    assert rig.simulator.calls["token"] == asked


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (token(expires_at=when(-5)), "run out"),
        (token(expires_at="0001-01-01T00:00:00Z"), "until when"),
        (token(expires_at="9999-01-01T00:00:00Z"), "until when"),
        (token(expires_at=None), "until when"),
        (token(expires_at=5), "until when"),
        (token(access_token=""), "no token"),
        (token(access_token=7), "no token"),
        (token(access_token="with a blank in it"), "no token"),
        (token(access_token="x" * 2000), "no token"),
        ({}, "no token"),
    ],
)
async def test_one_that_cannot_be_used_is_left_out(go: GoFolder, content: Any, says: str) -> None:
    go.write("tokens.json", content)
    moved = await go.move()
    part = next(part for part in moved.parts if part.name == "tokens.json")
    assert (part.state, part.left_out) == (State.LEFT, 1)
    assert says in part.notes[0]
    assert "by itself" in part.notes[0]
    assert moved.ok, "a new token is fetched anyway"
    assert await kept(go) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"null"])
async def test_a_file_that_is_no_token(go: GoFolder, content: bytes) -> None:
    go.write("tokens.json", content)
    assert (await go.part("tokens.json")).state is State.FAILED


async def test_secrets_that_are_locked_or_nowhere_are_said(go: GoFolder) -> None:
    go.write("tokens.json", token())
    part = await go.part("tokens.json", environ={})
    assert part.state is State.LEFT
    go.config(CONFIG.replace('"passphrase"', '"memory"'))
    go.paths.config.unlink()
    assert "memory only" in (await go.part("tokens.json")).notes[0]


async def test_a_client_id_that_is_not_set(go: GoFolder) -> None:
    go.config('[secrets]\nstore = "passphrase"\n')
    go.write("tokens.json", token())
    assert "client_id" in (await go.part("tokens.json")).notes[0]


def image(url: str = "https://static.example/alice.png") -> dict[str, Any]:
    return {"url": url, "width": 1, "height": 1, "mime_type": "image/png", "data": base64.b64encode(PNG).decode()}


async def profile(go: GoFolder, user_id: str) -> Profile | None:
    ledger = await go.ledger()
    try:
        body = (await ledger.load_profiles()).get(user_id)
    finally:
        await ledger.close()
    return None if body is None else msgspec.json.decode(body, type=Profile)


async def test_a_picture_whose_address_an_announcement_tells_is_at_hand_at_once(go: GoFolder) -> None:
    os.utime(go.write("image_cache/100.jpg", PNG), (START - 50, START - 50))
    go.write("output.json", [over(payload=payload(image=image()))])
    part = await go.part("image_cache/")
    assert (part.taken, part.left_out) == (1, 0)
    found = await profile(go, "100")
    assert found is not None
    assert found.image is not None
    assert (found.image.url, found.image.mime_type, found.image_at) == (image()["url"], "image/png", START - 50)
    assert (go.paths.images / f"{found.image.sha256}.png").read_bytes() == PNG
    assert (await go.part("image_cache/")).already == 1


async def test_pictures_that_cannot_be_used_are_fetched_anew_and_it_is_said(go: GoFolder) -> None:
    go.write("image_cache/200.jpg", PNG)
    go.write("image_cache/300.jpg", b"<html>not found</html>")
    go.write("image_cache/400.jpg", b"")
    go.write("image_cache/500.jpg", PNG + b"\0" * (3 * 1024 * 1024))
    go.write("image_cache/README.txt", b"hello")
    go.write("output.json", [over("bob", payload=payload("bob", image=image(url="")))])
    part = await go.part("image_cache/")
    assert (part.state, part.taken, part.left_out) == (State.DONE, 0, 4)
    said = " ".join(part.notes)
    assert "1 picture is fetched anew" in said
    assert "300.jpg is left out" in said
    assert await profile(go, "200") is None


async def test_what_is_known_of_a_channel_already_stays(go: GoFolder) -> None:
    ledger_free = Profile(user_id="100", login="alice", description="ours", fetched_at=START)
    go.paths.create()
    ledger = await go.ledger()
    await ledger.save_profiles([("100", msgspec.json.encode(ledger_free))])
    await ledger.close()
    go.write("image_cache/100.jpg", PNG)
    go.write("output.json", [over(payload=payload(image=image()))])
    await go.move()
    found = await profile(go, "100")
    assert found is not None
    assert (found.description, found.image is not None) == ("ours", True)


TLS = CONFIG + '\n[server.tls]\nenabled = true\ndomains = ["me.example"]\n'


def pair(go: GoFolder, *names: str) -> None:
    made = self_signed(names)
    go.write("acme_certs/cert.pem", made.chain_pem)
    go.write("acme_certs/key.pem", made.key_pem)


async def test_a_certificate_is_taken_over_with_its_key_hidden(go: GoFolder) -> None:
    go.config(TLS)
    pair(go, "me.example")
    part = await go.part("acme_certs/")
    assert (part.state, part.taken) == (State.DONE, 1)
    folder = go.paths.data / "acme_certs"
    assert (folder / "key.pem").read_bytes() == (go.data / "acme_certs" / "key.pem").read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert (await go.part("acme_certs/")).already == 1


@pytest.mark.parametrize("fault", ["names", "key", "late", "autocert", "broken"])
async def test_one_that_cannot_be_used_is_ordered_anew(
    go: GoFolder, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go.config(TLS)
    pair(go, "me.example", *(["other.example"] if fault == "names" else []))
    certs = go.data / "acme_certs"
    if fault == "key":
        go.write("acme_certs/key.pem", self_signed(["me.example"]).key_pem)
    elif fault == "late":
        monkeypatch.setattr(go.clock, "_wall", START + dt.timedelta(days=20_000).total_seconds())
    elif fault == "autocert":
        (certs / "cert.pem").rename(certs / "me.example")
    elif fault == "broken":
        go.write("acme_certs/cert.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    part = await go.part("acme_certs/")
    assert (part.state, part.left_out) == (State.LEFT, 1)
    assert "by itself" in part.notes[0]
    assert not (go.paths.data / "acme_certs" / "key.pem").exists()


async def test_a_folder_that_both_use_is_left_alone(go: GoFolder, tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    folder.mkdir()
    go.config(TLS + f"cert_dir = '{folder}'\n")
    part = await go.part("acme_certs/")
    assert part.state is State.LEFT
    assert "this very folder" in part.notes[0]
