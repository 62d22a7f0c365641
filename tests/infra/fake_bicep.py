"""Stands in for the Bicep compiler where there is none: the parameters of the template, and no resources."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from infra.check.nodes import Parameter
from infra.check.parse import read_template

if "--version" in sys.argv:
    sys.stdout.write("Bicep CLI version 0.40.0 (stand-in)\n")
else:
    file = next(word for word in sys.argv if word.endswith(".bicep"))
    parameters = {
        each.name: {
            "type": "securestring" if each.decorator("secure") else each.type,
            **({} if each.default is None else {"defaultValue": "worked out by the compiler"}),
        }
        for each in read_template(Path(file)).of_kind(Parameter)
    }
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    document = {"$schema": schema, "contentVersion": "1.0.0.0", "parameters": parameters, "resources": []}
    sys.stdout.write(json.dumps(document))
