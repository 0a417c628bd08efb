"""Renews the hashed locks from pyproject.toml: `make lock`.

`run.txt` is what the program needs plus its build backend, `dev.txt` adds the tools. Both hold for every
supported Python and system, and neither names the registry they came from.
"""

import subprocess
import sys

COMMON = [
    sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml",
    "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
    "--no-emit-find-links", "--no-header", "--upgrade", "--quiet",
]  # fmt: skip

subprocess.run([*COMMON, "--group", "build", "-o", "requirements/run.txt"], check=True)  # noqa: S603 - our own words
subprocess.run([*COMMON, "--group", "build", "--group", "dev", "-o", "requirements/dev.txt"], check=True)  # noqa: S603 - our own words
