"""The same without installing the project: python -m effnet_viz.cli COMMAND"""

import sys

from effnet_viz.cli.main import main

sys.exit(main())
