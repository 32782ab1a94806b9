"""Write the OpenAPI document to standard output: ``python -m perijove.contracts``."""

import json
import sys

from perijove.contracts.openapi import document

json.dump(document(), sys.stdout, indent=1, sort_keys=True)
sys.stdout.write("\n")
