"""``python -m accelsim``: the command line."""

from accelsim.cli.app import main

if __name__ == "__main__":
    raise SystemExit(main())
