import importlib.metadata as md
import re
from pathlib import Path

import pytest

from installers import ROOT, notices


def package(folder: Path, name: str, metadata: str = "", **files: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}\n")
    for file, text in files.items():
        (info / file).write_text(text)


def test_each_package_with_its_licence(tmp_path: Path) -> None:
    package(tmp_path, "beta", "License-Expression: MIT", LICENSE="Permission is granted.")
    package(tmp_path, "Alpha", "Classifier: License :: OSI Approved :: BSD License", COPYING="Redistribution.")
    text = notices.collected(tmp_path)
    assert text.index("Alpha 1.0 - BSD License") < text.index("Redistribution.") < text.index("beta 1.0 - MIT")
    assert "Permission is granted." in text
    assert "SIL OPEN FONT LICENSE" in text.upper()


def test_a_package_without_a_text_stops_the_build(tmp_path: Path) -> None:
    package(tmp_path, "nameless", "License-Expression: MIT")
    with pytest.raises(notices.MissingLicenceError, match=r"nameless 1\.0"):
        notices.collected(tmp_path)


def test_qt_ships_none_and_is_given_one(tmp_path: Path) -> None:
    package(tmp_path, "PySide6_Essentials")
    text = notices.collected(tmp_path)
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text
    assert "GNU GENERAL PUBLIC LICENSE" in text, "which the Lesser one is an addition to"


def test_everything_that_is_bundled_has_a_licence() -> None:
    """The packages of the lock as they are installed here: the build itself shall not be the first to notice."""
    for name in re.findall(r"^([a-z0-9][^=\s]*)==", (ROOT / "requirements" / "bundle.txt").read_text(), re.MULTILINE):
        try:
            found = md.distribution(name)
        except md.PackageNotFoundError:
            continue  # of another system
        folder = Path(str(found.locate_file("."))) / f"{found.metadata['Name']}-{found.version}.dist-info"
        folder = folder if folder.is_dir() else Path(str(found._path))  # type: ignore[attr-defined]
        assert list(notices._texts(folder, found.metadata["Name"])), name
