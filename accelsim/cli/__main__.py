"""``python -m accelsim.cli``: the command without an installed script."""

import sys

from accelsim.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
