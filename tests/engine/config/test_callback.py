"""Addresses at which Twitch would never arrive: each is a warning that says what to write instead."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.lacks import lacks
from itsjustintv_desktop.engine.config.load import parse

PRIVATE, OWN, LETTERS = "address of a private network", "name of your own network", "in lower case"


def warnings(text: str) -> tuple[str, ...]:
    return parse(f"[twitch]\nclient_id = 'x'\n{text}", file="c", environ={}).warnings


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://live.example.com/twitch/", "it ends with a slash"),
        ("https://live.example.com/in/here/", "it ends with a slash"),
        ("https://live.example.com/twitch#top", "after # is never sent"),
        ("https://live.example.com/twitch#", "after # is never sent"),
        ("https://live.example.com/twitch?key=x", "after ? comes to stand in logs"),
        ("https://live.example.com/twitch?", "after ? comes to stand in logs"),
        ("https://live.example.com/Twitch", LETTERS),
        ("http://live.example.com/twitch", "https addresses on port 443"),
        ("https://live.example.com:8443/twitch", "https addresses on port 443"),
        ("https://me@live.example.com/twitch", "user name and password"),
        ("https://live.example.com/", "it has no path"),
        ("https://192.168.1.5/twitch", PRIVATE),
        ("https://10.0.0.1/twitch", PRIVATE),
        ("https://172.31.255.255/twitch", PRIVATE),
        ("https://169.254.1.1/twitch", PRIVATE),
        ("https://100.64.0.1/twitch", PRIVATE),
        ("https://0.0.0.0/twitch", PRIVATE),
        ("https://224.0.0.1/twitch", PRIVATE),
        ("https://[fd00::1]/twitch", "Twitch calls over IPv4"),
        ("https://[2001:4860:4860::8888]/twitch", "Twitch calls over IPv4"),
        ("https://raspberrypi/twitch", OWN),
        ("https://raspberrypi./twitch", OWN),
        ("https://nas.local/twitch", OWN),
        ("https://NAS.Fritz/twitch", OWN),
        ("https://nas.home.arpa/twitch", OWN),
        ("https://2130706433/twitch", OWN),
        ("https://192.168.1/twitch", "no whole IP address"),
    ],
)
def test_what_keeps_twitch_from_arriving_is_a_warning(address: str, said: str) -> None:
    (warning,) = warnings(f"incoming_webhook_url = '{address}'")
    assert said in warning


def test_each_of_them_is_said() -> None:
    found = warnings("incoming_webhook_url = 'http://192.168.1.5:8080/twitch/?a=1#b'")
    assert len(found) == 5


@pytest.mark.parametrize("name", ["192.168.1.5", "raspberrypi", "nas.local"])
def test_the_external_domain_is_judged_alike(name: str) -> None:
    (warning,) = warnings(f"[server]\nexternal_domain = '{name}'")
    assert "write the public name" in warning


@pytest.mark.parametrize(
    "address", ["https://live.example.com/twitch", "https://live.example.com:443/other", "https://8.8.8.8/twitch"]
)
def test_a_good_one_is_none(address: str) -> None:
    assert warnings(f"incoming_webhook_url = '{address}'") == ()


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]"])
def test_this_machine_itself_is_right_for_a_simulator_and_named_by_config_check(host: str) -> None:
    text = f"[twitch]\nincoming_webhook_url = 'http://{host}/twitch'"
    loaded = parse(text, file="c", environ={})
    assert loaded.warnings == ()
    assert any("it is this machine itself, which Twitch cannot reach" in lack for lack in lacks(loaded.config))
