"""No secret of a config is on the screen, and every one is there again when it is saved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.ui.pages.settings.raw import DOTS, mask, unmask

SECRET = "s3cret-value"
KEYS = (
    f'client_secret = "{SECRET}"',
    f"authtoken='{SECRET}'",
    f'Client_Secret="{SECRET}" # mine',
    f'twitch.webhook_secret = "{SECRET}"',
    f'"url" = "https://example.org/{SECRET}"',
    f'a = {{ url = "https://example.org/{SECRET}", secret = "{SECRET}" }}',
    f'headers = {{ Authorization = "Bearer {SECRET}", "X-Key" = "{SECRET}" }}',
    f'headers.Authorization = "Bearer {SECRET}"',
    f'[telemetry.headers]\nAuthorization = "Bearer {SECRET}"\nX-Key = \'{SECRET}\'\n[retry]\nmax_age = "1h"',
    f'secret = """\n{SECRET}\n"""',
    f'# secret = "{SECRET}"',
    f'secret = "with \\" {SECRET}"',
    f'endpoint = "https://{SECRET}@example.org"',
    f'proxy = "http://me:{SECRET}@example.org:3128"',
)


@pytest.mark.parametrize("text", KEYS)
def test_a_secret_becomes_dots_and_comes_back(text: str) -> None:
    masked = mask(f"[x]\nname = 1\n{text}\n")
    assert SECRET not in masked.text
    assert DOTS in masked.text
    assert unmask(masked.text, masked.kept) == f"[x]\nname = 1\n{text}\n"


@pytest.mark.parametrize(
    "text", ['client_secret = ""', 'url = "@keyring"', 'client_id = "abc"', 'external_domain = "a.b"']
)
def test_what_is_not_secret_can_be_read(text: str) -> None:
    assert mask(text).text == text


def test_a_line_can_be_moved_changed_and_dropped() -> None:
    masked = mask('secret = "one"\nurl = "two"\nauthtoken = "three"\n')
    first, second, _ = masked.text.splitlines()
    shown = f'{second}\n{first}\nauthtoken = "four"\nmore = 1\n'
    assert unmask(shown, masked.kept) == 'url = "two"\nsecret = "one"\nauthtoken = "four"\nmore = 1\n'


@given(
    st.lists(
        st.one_of(
            st.sampled_from(KEYS), st.text(max_size=40), st.sampled_from([f'a = "{DOTS} 1"', "[headers]", 'url = "'])
        ),
        max_size=8,
    )
)
def test_whatever_the_text_is_it_comes_back(lines: list[str]) -> None:
    text = "\n".join(lines)
    masked = mask(text)
    assert unmask(masked.text, masked.kept) == text
