#!/usr/bin/env python3
"""Makes replacement.txt: which changed properties have CloudFormation replace a resource.

    python3 make.py SCHEMAS VERSION SPEC VERSION > replacement.txt

SCHEMAS is the directory `cfnlint/data` of an installed cfn-lint (PyPI; MIT-0), with its version. It ships the schemas of the
CloudFormation registry, whose `createOnlyProperties` and `conditionalCreateOnlyProperties` are authoritative. The test bed has it:
target/bed/python/aws/lib/python3.*/site-packages/cfnlint/data. SPEC is `db.json.gz` of the npm package @aws-cdk/aws-service-spec
(Apache-2.0), with its version: it also has what the documentation says ("Update requires: Replacement"). Where that alone has a
property replace its resource, the table says that it may.
"""

import gzip
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
HEAD = """\
# Which changed properties have CloudFormation replace a resource. Made by make.py; not to be edited.
#
# Source: the schemas of the CloudFormation registry as cfn-lint {lint} has them (MIT-0), of {date}, and the documentation as
# @aws-cdk/aws-service-spec {spec} has it (Apache-2.0).
#
# TYPE: paths of properties. `?` after one: it may be replaced, as the schema says, or as the documentation alone says. `*` as a
# path's part: every item; alone: the type can't be updated, any change replaces. After `|`, for the types in stateful.txt: what is
# updated in place.
"""


def stateful():
    lines = (HERE / "stateful.txt").read_text().splitlines()
    return {line.split(": ")[0].split()[0] for line in lines if line and not line.startswith("#")}


def paths(schema, key):
    return sorted({path.removeprefix("/properties/") for path in schema.get(key, [])})


def documented(path):
    """Type -> the properties whose change replaces, or may replace, a resource of it."""
    tables = json.load(gzip.open(path))["schema"]
    types = {}
    for resource in tables["resource"]["entities"]:
        names = [name for name, of in resource["properties"].items() if of.get("causesReplacement") in ("yes", "maybe")]
        types[resource["cloudFormationType"]] = names
    return types


def line(schema, kept, documented):
    always = paths(schema, "createOnlyProperties")
    perhaps = set(paths(schema, "conditionalCreateOnlyProperties"))
    told = {path.split("/")[0] for path in always} | perhaps
    perhaps |= {name for name in documented if name not in told and name in schema["properties"]}
    perhaps = sorted(perhaps - set(always))
    words = always + [path + "?" for path in perhaps]
    if "handlers" in schema and "update" not in schema["handlers"]:
        words.append("*")
    if schema["typeName"] in kept:
        known = {word.rstrip("?") for word in words} | set(paths(schema, "readOnlyProperties"))
        words += ["|", *sorted(set(schema["properties"]) - known)]
    return " ".join([schema["typeName"] + ":", *words])


def main():
    data, lint, spec, spec_version = pathlib.Path(sys.argv[1]), sys.argv[2], documented(sys.argv[3]), sys.argv[4]
    schemas = [json.loads(path.read_text()) for path in (data / "schemas/resources").glob("*.json")]
    kept = stateful()
    known = {schema["typeName"] for schema in schemas}
    listed = set(json.loads((data / "AdditionalSpecs/StatefulResources.json").read_text())["ResourceTypes"])
    if kept - known or listed - kept:
        sys.exit(f"stateful.txt: no such type: {sorted(kept - known)}; missing: {sorted(listed - kept)}")
    date = json.loads((data / "schemas/version.json").read_text())["schema_date"]
    sys.stdout.write(HEAD.format(lint=lint, spec=spec_version, date=date[:10]))
    lines = sorted(line(schema, kept, spec.get(schema["typeName"], [])) for schema in schemas)
    sys.stdout.write("".join(text + "\n" for text in lines))


main()
