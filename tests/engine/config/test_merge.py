"""Two people's changes put together, and many changes at once: never anything but what was meant."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.document import TomlDocument
from itsjustintv_desktop.engine.config.merge import merge, touched, units
from itsjustintv_desktop.engine.config.notation import encode

names = st.sampled_from(["alice", "bob", "carol", "da ve", "eve"])
tables = st.dictionaries(
    st.sampled_from(["login", "enabled", "tags"]), st.sampled_from([True, 'a "b" #c', 7]), max_size=3
)
configs = st.dictionaries(names, tables, max_size=5)


def text_of(config: dict[str, dict[str, Any]], retry: int) -> str:
    parts = [f"# The start.\n[retry] # how often\nmax_attempts = {retry}\n"]
    for name, content in config.items():
        keys = "".join(f"{key} = {encode(value)} # {key}\n" for key, value in content.items())
        parts.append(f"\n# About {name}.\n[streamers.{encode(name)}]\n{keys}")
    return "".join(parts)


@given(configs, configs, configs, st.tuples(*[st.integers(0, 2)] * 3))
def test_a_merge_has_both_changes_or_is_refused(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], retries: tuple[int, int, int]
) -> None:
    texts = [text_of(config, retry) for config, retry in zip((base, ours, theirs), retries, strict=True)]
    before, mine, other = (tomllib.loads(text) for text in texts)
    merged = merge(*texts)
    here, there = touched(before, mine), touched(before, other)
    clash = {path for path in here & there if units(mine).get(path) != units(other).get(path)}
    assert (merged is None) == bool(clash)
    if merged is not None:
        wanted = {path: value for path, value in units(other).items() if path not in here}
        wanted |= {path: value for path, value in units(mine).items() if path in here}
        found = units(tomllib.loads(merged))
        assert {path: value for path, value in found.items() if value} == {
            path: value for path, value in wanted.items() if value
        }


@given(configs, st.sets(names), st.booleans())
def test_many_at_once_are_the_same_as_one_by_one(config: dict[str, Any], some: set[str], enabled: bool) -> None:
    text = text_of(config, 1)
    there = sorted(some & config.keys())
    at_once, one_by_one = TomlDocument(text), TomlDocument(text)
    at_once.set_many({("streamers", name, "enabled"): enabled for name in there})
    for name in there:
        one_by_one.set(("streamers", name, "enabled"), enabled)
    assert at_once.text == one_by_one.text
    at_once.remove_many([("streamers", name) for name in there])
    for name in there:
        one_by_one.remove(("streamers", name))
    assert at_once.data == one_by_one.data
    fresh: dict[str, dict[str, Any]] = {
        name: {"login": name, "tags": ["a", "b"]} for name in sorted(some - config.keys())
    }
    at_once.add_tables(("streamers",), fresh)
    assert {name: at_once.get(("streamers", name)) for name in fresh} == fresh
