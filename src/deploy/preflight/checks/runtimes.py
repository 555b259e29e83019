#!/usr/bin/env python3
"""Prints runtimes.toml, the dates of Lambda's runtimes, from the data of an installed cfn-lint:

    target/bed/python/aws/bin/python src/deploy/checks/runtimes.py > src/deploy/checks/runtimes.toml
"""

import datetime
import importlib.metadata
import json
import pathlib

import cfnlint.data.AdditionalSpecs as specs

NAMES = {"deprecated": "deprecated", "create_blocked": "create-block", "update_blocked": "update-block"}

path = pathlib.Path(specs.__file__).parent / "LmbdRuntimeLifecycle.json"
print("# Made by runtimes.py; not to be edited. From each date on, AWS: no longer patches a runtime, makes no functions with it,")
print("# takes no updates of functions that have it. A date that is not known is left out.")
print(f'source = "cfn-lint {importlib.metadata.version("cfn-lint")}"')
print(f'taken = "{datetime.date.today()}"')
print()
print("[runtimes]")
for name, dates in sorted(json.loads(path.read_text()).items()):
    values = ", ".join(f'{ours} = "{dates[theirs]}"' for ours, theirs in NAMES.items() if dates[theirs])
    print(f'"{name}" = {{ {values} }}')
