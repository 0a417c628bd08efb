"""What the workflows call exists and holds, as far as that shows here; `make lint-workflows` does more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from installers import APP, ROOT, release
from tests.installers.test_sign import PASSPHRASE, Key
from tests.keyring_session import require_program

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted((ROOT / "installers").rglob("*.sh"))

bash = pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_step_is_something_that_runs_by_hand(workflow: Path) -> None:
    text = workflow.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in re.findall(r"run: (.*)", text):
        for words in re.findall(r"\bmake ((?:[a-z-]+ ?)+)", line.replace("git make", "git")):
            wanted = set(words.split()) - {"python", "ca-certificates"}
            if not line.startswith("apt-get"):
                assert wanted <= targets, line
        for script in re.findall(r"(?:installers/\S+\.(?:sh|ps1)|\.ci/run)", line):
            assert (ROOT / script).is_file(), script
            assert script.endswith(".ps1") or os.access(ROOT / script, os.X_OK), script
        for module in re.findall(r"-m (installers\.\w+)", line):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_rights_are_few(workflow: Path) -> None:
    text = workflow.read_text()
    for line in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE), "no job has rights that it does not ask for"
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")


@bash
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name + "/" + path.name)
def test_scripts_parse_and_stop_at_a_fault(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    assert "set -euo pipefail" in script.read_text()


@bash
@pytest.mark.parametrize(
    ("ref", "tags"),
    [
        ("refs/tags/v1.2.3", ["it:v1.2.3", "it:1.2.3", "it:latest"]),
        ("refs/tags/v1.2.3rc1", ["it:v1.2.3rc1", "it:1.2.3rc1"]),
        ("refs/tags/v1.2.3a1", ["it:v1.2.3a1", "it:1.2.3a1"]),
        ("refs/tags/v1.2.3-beta", ["it:v1.2.3-beta", "it:1.2.3-beta"]),
        ("refs/heads/main", ["it:latest"]),
        ("refs/pull/3/merge", []),
        ("refs/heads/v2", []),
    ],
)
def test_what_the_image_is_called(ref: str, tags: list[str]) -> None:
    script = ROOT / "installers" / "container" / "publish.sh"
    told = subprocess.run(
        [script, "it", ref], env={**os.environ, "TAGS_ONLY": "1"}, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == tags


@bash
def test_nothing_unsigned_is_built_without_a_word(tmp_path: Path) -> None:
    """The script of the Mac, as far as it runs anywhere; that of Windows says the same."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MACOS_", "ALLOW_"))}
    script = ROOT / "installers" / "macos" / "build.sh"

    def told(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(script, env={**environ, **more}, capture_output=True, text=True, check=False, timeout=30)

    assert told(PYTHON="false").returncode == 1
    assert "ALLOW_UNSIGNED=1" in told(PYTHON="false").stderr
    half = told(MACOS_CERTIFICATE="x", ALLOW_UNSIGNED="1")
    assert half.returncode != 0
    assert "MACOS_CERTIFICATE_PASSWORD: is missing" in half.stderr
    windows = (ROOT / "installers" / "windows" / "build.ps1").read_text()
    assert windows.index('$env:ALLOW_UNSIGNED -ne "1"') < windows.index("--adhoc-sign")
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    assert workflow.count("ALLOW_UNSIGNED: ${{ vars.ALLOW_UNSIGNED }}") == 3


def jobs(workflow: str) -> tuple[str, dict[str, str]]:
    """The part before the jobs, and each of them."""
    head, _, rest = (ROOT / ".github" / "workflows" / workflow).read_text().partition("\njobs:\n")
    found = re.split(r"^  ([a-z]+):\n", rest, flags=re.MULTILINE)[1:]
    return head, dict(zip(found[::2], found[1::2], strict=True))


def pushers() -> dict[str, str]:
    """The jobs that may push an image."""
    return {
        f"{path.stem} {name}": job
        for path in WORKFLOWS
        for name, job in jobs(path.name)[1].items()
        if "packages: write" in job
    }


def test_an_image_of_a_version_waits_until_a_person_has_published_the_draft() -> None:
    assert set(pushers()) == {"ci image", "container release"}
    head, _ = jobs("container.yml")
    triggers = head.partition("\non:\n")[2].partition("\npermissions:")[0]
    assert re.findall(r"^  (\w+):$", triggers, re.MULTILINE) == ["release", "pull_request"]
    assert "  release:\n    types: [published]\n" in triggers
    job = pushers()["container release"]
    assert "    if: github.event_name == 'release'\n" in job
    assert "    environment: release\n" in job, "and for the one who approves it"
    assert job.index("-m installers.release") < job.index("container/publish.sh"), "a tag that is not fit has none"
    assert "--draft" in (ROOT / "installers" / "publish.sh").read_text()


def test_a_release_is_tested_and_checked_before_anything_of_it_is_built() -> None:
    _, found = jobs("release.yml")
    assert "run: .ci/run\n" in found["everything"]
    assert "needs: fit\n" in found["everything"]
    for name in set(found) - {"fit", "everything", "publish"}:
        assert "    needs: [fit, everything]\n" in found[name], name


def test_the_image_of_main_waits_for_all_of_ci() -> None:
    _, found = jobs("ci.yml")
    job = pushers()["ci image"]
    assert f"    needs: [{', '.join(name for name in found if name != 'image')}]\n" in job
    assert "    if: github.event_name == 'push'\n" in job, "with always() or the like it would not wait"


@bash
def test_nothing_is_installed_where_the_update_key_is(tmp_path: Path) -> None:
    steps = (ROOT / ".github" / "workflows" / "release.yml").read_text().split("\n      - ")
    (signing,) = [number for number, step in enumerate(steps) if "UPDATE_KEY" in step]
    assert steps[signing].startswith("run: make update-manifest\n")
    before = steps[signing - 1]
    assert "run: make .venv/bin/.run" in before
    assert "secrets" not in before
    # With that done, make has nothing left to install.
    if shutil.which("make") is not None:
        binaries = tmp_path / "bin"
        binaries.mkdir()
        (binaries / "python").write_text("#!/bin/sh\n")  # whole: it can import pip
        (binaries / "python").chmod(0o755)
        for name in (".venv", ".run"):
            (binaries / name).touch()
        told = subprocess.run(
            ["make", "--no-print-directory", "--dry-run", f"VENV={tmp_path}", "update-manifest"],
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert told.stdout.splitlines() == [f"{tmp_path}/bin/python -m installers.update_manifest build/update"]


def checkout(folder: Path, when: str, version: str = "1.2.3") -> Path:
    (folder / "itsjustintv_desktop").mkdir(parents=True, exist_ok=True)
    (folder / "itsjustintv_desktop" / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (folder / "CHANGELOG.md").write_text(f"# Changes\n\n## {version} ({when})\n\n- New.\n")
    return folder


def test_a_tag_is_fit_when_all_agree(tmp_path: Path) -> None:
    assert release.notes("v1.2.3", checkout(tmp_path / "dated", "2026-12-01")) == "- New.\n"
    with pytest.raises(ValueError, match=r"v1\.2\.4.*1\.2\.3"):
        release.notes("v1.2.4", tmp_path / "dated")
    with pytest.raises(ValueError, match="its date first"):
        release.notes("v1.2.3", checkout(tmp_path / "undated", "not released"))
    (tmp_path / "dated" / "CHANGELOG.md").write_text("# Changes\n")
    with pytest.raises(ValueError, match="no heading"):
        release.notes("v1.2.3", tmp_path / "dated")


@bash
@pytest.mark.slow
@pytest.mark.timeout(600)  # gpg derives a key from the passphrase for each of two dozen signatures
def test_the_last_step_but_for_the_upload(tmp_path: Path) -> None:
    """publish.sh in a copy of the checkout whose changelog is dated, with a throw-away key."""
    require_program("gpg", "gnupg")
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "installers", root / "installers")
    checkout(root, "2026-12-01")
    (root / "build").mkdir()
    (root / "build" / "sbom.cdx.json").write_text("{}")
    made = tmp_path / "release"
    made.mkdir()
    (made / f"{APP}_1.2.3-1~debian-bookworm_amd64.deb").write_bytes(b"a package")
    key = Key()
    environ = {
        **os.environ, "DRY_RUN": "1", "PYTHON": sys.executable, "RELEASE_KEY": key.secret,
        "RELEASE_KEY_PASSPHRASE": PASSPHRASE,
    }  # fmt: skip
    publish: list[str | Path] = [root / "installers" / "publish.sh", "v1.2.3", made]
    told = subprocess.run(publish, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode == 0, told.stderr
    assert f"well signed: {APP}-1.2.3.cdx.json" in told.stdout
    assert (root / "build" / "notes.md").read_text() == "- New.\n"
    # An .msi that should be signed and is not stops it, before anything is out.
    (made / "it.msi").write_bytes(b"not an installer")
    told = subprocess.run(publish, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode != 0
    assert "it.msi" in told.stderr
    # One that says so itself needs a word, and is named in the notes.
    (made / "it.msi").rename(made / "it-unsigned.msi")
    told = subprocess.run(publish, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode != 0
    assert "it-unsigned.msi is not signed" in told.stderr
    allowed = {**environ, "ALLOW_UNSIGNED": "1"}
    told = subprocess.run(publish, env=allowed, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode == 0, told.stderr
    notes = (root / "build" / "notes.md").read_text()
    assert notes.startswith("- New.\n")
    assert notes.count("it-unsigned.msi") == 1
    # For real it wants what tells installed programs of the version, and hands all to GitHub as a draft.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/asked\n')
    (tmp_path / "bin" / "gh").chmod(0o755)
    real = {**allowed, "DRY_RUN": "", "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    told = subprocess.run(publish, env=real, capture_output=True, text=True, check=False, timeout=300)
    assert (told.returncode, (tmp_path / "asked").exists()) == (1, False)
    assert "make update-manifest" in told.stderr
    (root / "build" / "update").mkdir()
    for name in ("latest.json", "latest.json.sig"):
        (root / "build" / "update" / name).write_text("signed")
    told = subprocess.run(publish, env=real, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode == 0, told.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:5] == ["release", "create", "v1.2.3", "--draft", "--verify-tag"]
    uploaded = {Path(word).name for word in asked if word.startswith((str(made), "build/update/"))}
    assert uploaded == {path.name for path in made.iterdir()} | {"latest.json", "latest.json.sig"}
    assert "--prerelease" not in asked
    # A pre-release says that it is one, and takes nothing along that tells of it, not even what lies there.
    checkout(root, "2026-12-01", "1.2.3rc1")
    publish[1] = "v1.2.3rc1"
    told = subprocess.run(publish, env=real, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode == 0, told.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:4] == ["release", "create", "v1.2.3rc1", "--draft"]
    assert "--prerelease" in asked
    assert not [word for word in asked if "latest" in word]
    shutil.rmtree(root / "build" / "update")
    assert subprocess.run(publish, env=real, check=False, timeout=300, capture_output=True).returncode == 0
