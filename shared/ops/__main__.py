"""`python -m shared.ops`: the `tandem` command where it is not installed as a script."""

import sys

from shared.ops.cli import main

sys.exit(main())
