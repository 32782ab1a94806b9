"""``python -m perijove``: the command line, for jobs of this package's own interpreter."""

from __future__ import annotations

import sys

from perijove.cli import main

if __name__ == "__main__":
    sys.exit(main())
