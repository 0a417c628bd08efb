"""Renews the hashed locks from pyproject.toml: `make lock`. Words after it are names of locks to renew, others stay.

`run.txt` is what the program needs plus its build backend, `dev.txt` adds the tools. `bundle.txt` is what installers
carry, `headless.txt` the same with no Qt in it (containers), `build.txt` the backend: at run.txt's versions. `ship.txt`
builds, checks and lints them; `mutation.txt` is for `make mutation`. All hold for every supported Python and system,
and none names the registry it came from.
"""

import subprocess
import sys

COMMON = [
    sys.executable, "-m", "uv", "pip", "compile",
    "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
    "--no-emit-find-links", "--no-header", "--upgrade", "--quiet",
]  # fmt: skip
PROGRAM = "pyproject.toml"
CONSTRAINED = ["--constraint", "requirements/run.txt", "--no-annotate"]
OF_RUN = [PROGRAM, *CONSTRAINED]
NO_QT = [word for name in ("pyside6-essentials", "shiboken6", "qasync") for word in ("--no-emit-package", name)]
LOCKS = {
    "run": [PROGRAM, "--group", "build"],
    "dev": [PROGRAM, "--group", "build", "--group", "dev"],
    "bundle": OF_RUN,
    "headless": [*OF_RUN, *NO_QT],
    "build": ["--group", "build", *CONSTRAINED],
    "ship": ["--group", "ship", "--no-annotate"],
    "mutation": ["--group", "mutation", "--no-annotate"],
}

for name in sys.argv[1:] or LOCKS:
    subprocess.run([*COMMON, *LOCKS[name], "-o", f"requirements/{name}.txt"], check=True)  # noqa: S603 - our own words
