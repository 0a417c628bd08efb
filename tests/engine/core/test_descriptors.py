"""The limit of open files, in a process of its own: a hard limit that was lowered cannot be raised again."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")

_SCRIPT = """
import resource
from itsjustintv_desktop.engine.core import descriptors
for soft, hard in [(200, 900), (900, 900), (100, 900)]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(descriptors.raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
real = resource.setrlimit
def forbidden(*_):
    raise PermissionError(1, "Operation not permitted")
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 900))
resource.setrlimit = forbidden
print(descriptors.raise_limit())
def like_macos(kind, limits):
    if limits[0] > 10_240:
        raise ValueError("current limit exceeds maximum limit")
    set_to.append(limits)
set_to = []
resource.setrlimit = like_macos
resource.getrlimit = lambda kind: (256, resource.RLIM_INFINITY)
resource.RLIM_INFINITY = 2**63 - 1
resource.getrlimit = lambda kind: (256, 2**63 - 1)
print(descriptors.raise_limit(), set_to[0][0])
resource.getrlimit = lambda kind: (2**63 - 1, 2**63 - 1)
print(descriptors.raise_limit())
resource.getrlimit = forbidden
print(descriptors.raise_limit())
"""


def test_it_is_raised_as_far_as_it_may_be() -> None:
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True, timeout=30)
    assert told.stdout.splitlines() == [
        "900 900 900", "900 900 900", "900 900 900", "100", "10240 10240", "None", "None",
    ]  # fmt: skip
