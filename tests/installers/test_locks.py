"""The locks agree, and none says where the packages came from."""

import re

import pytest

from installers import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
_PINNED = re.compile(r"^([a-z0-9][^=\s]*)==([^\s;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(_PINNED.findall((ROOT / "requirements" / f"{name}.txt").read_text()))


@pytest.mark.parametrize("name", ["bundle", "headless", "dev"])
def test_what_is_shipped_is_what_is_tested(name: str) -> None:
    run = pins("run")
    assert {package: version for package, version in pins(name).items() if package in run} == {
        package: run[package] for package in pins(name) if package in run
    }


def test_the_bundle_has_no_build_backend_and_the_container_no_qt() -> None:
    bundle, headless = pins("bundle"), pins("headless")
    assert set(bundle) - set(headless) == {"pyside6-essentials", "shiboken6", "qasync"}
    assert "hatchling" not in bundle
    assert set(bundle) < set(pins("run"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_package_has_hashes_and_no_registry_is_named(lock: object) -> None:
    text = (ROOT / "requirements" / f"{getattr(lock, 'stem', '')}.txt").read_text()
    assert "://" not in text
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if _PINNED.match(block))
