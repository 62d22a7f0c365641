"""`python -m tools.exports plan|apply|export DIR`."""

import sys

from tools.exports.command import main

sys.exit(main())
