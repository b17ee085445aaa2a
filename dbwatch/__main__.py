"""`python -m dbwatch` is `dbwatch`."""

import sys

from dbwatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
