"""`python -m itsjustintv_desktop`: the same program as the installed command."""

from itsjustintv_desktop.cli import main

if __name__ == "__main__":
    main()
