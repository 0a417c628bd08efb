"""Started by the installed command, which hands its own path: the program and its autostart entry know it by that."""

import sys

del sys.argv[0]

from itsjustintv_desktop.cli import main

main()
