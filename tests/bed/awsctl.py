"""Looks at the local AWS for assertions, and changes what a deploy would not: `awsctl.py COMMAND …` prints one JSON document.

Reads AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION, as boto3 does.
"""

import argparse
import io
import json
import sys
import zipfile

import boto3
from botocore.exceptions import ClientError


def functions(prefix):
    """Name → code hash, latest version, memory, names of environment variables, layers and their code hashes."""
    client = boto3.client("lambda")

    def layer(arn):
        name, number = arn.rsplit(":", 1)
        version = client.get_layer_version(LayerName=name, VersionNumber=int(number))  # moto knows no …ByArn
        return {"arn": arn, "code_sha256": version["Content"]["CodeSha256"]}

    found = {}
    for page in client.get_paginator("list_functions").paginate():
        for each in page["Functions"]:
            name = each["FunctionName"]
            if not name.startswith(prefix):
                continue
            live = client.get_function_configuration(FunctionName=name)
            versions = client.list_versions_by_function(FunctionName=name)["Versions"]
            found[name] = {
                "code_sha256": live["CodeSha256"],
                "versions": [version["Version"] for version in versions if version["Version"] != "$LATEST"],
                "memory": live["MemorySize"],
                "environment": sorted(live.get("Environment", {}).get("Variables", {})),
                "layers": [layer(each["Arn"]) for each in live.get("Layers", [])],
            }
    return found


def stack(name):
    client = boto3.client("cloudformation")
    described = client.describe_stacks(StackName=name)["Stacks"][0]
    return {
        "status": described["StackStatus"],
        "outputs": {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])},
        "template": client.get_template(StackName=name)["TemplateBody"],
    }


def stacks():
    described = boto3.client("cloudformation").describe_stacks()["Stacks"]
    return {each["StackName"]: each["StackStatus"] for each in described}


def bucket_of(name):
    """NAME itself if there is a bucket of that name, else the deployment bucket of the stack NAME."""
    try:
        boto3.client("s3").head_bucket(Bucket=name)
        return name
    except ClientError:
        return stack(name)["outputs"]["ServerlessDeploymentBucketName"]


def s3_keys(name):
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket_of(name))
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def values(document, key):
    if isinstance(document, dict):
        for name, value in document.items():
            if name == key and isinstance(value, str):
                yield value
            else:
                yield from values(value, key)
    elif isinstance(document, list):
        for each in document:
            yield from values(each, key)


def template_s3_missing(name):
    there = set(s3_keys(name))
    return sorted({key for key in values(stack(name)["template"]["Resources"], "S3Key") if key not in there})


def invoke(name, event):
    answer = boto3.client("lambda").invoke(FunctionName=name, Payload=event.encode())
    return {"error": "FunctionError" in answer, "answer": json.loads(answer["Payload"].read())}


def change_code(name, text):
    """Puts a zip with one file of TEXT into the function, past everything that deploys."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("changed.js", text)
    changed = boto3.client("lambda").update_function_code(FunctionName=name, ZipFile=code.getvalue())
    return {"code_sha256": changed["CodeSha256"]}


def change_memory(name, megabytes):
    """Gives the function other memory, likewise."""
    boto3.client("lambda").update_function_configuration(FunctionName=name, MemorySize=int(megabytes))
    return {"memory": int(megabytes)}


def set_variable(name, variable, value):
    """Gives the function one more environment variable, likewise."""
    client = boto3.client("lambda")
    variables = client.get_function_configuration(FunctionName=name).get("Environment", {}).get("Variables", {})
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {**variables, variable: value}})
    return {"variable": variable}


def domains():
    """Custom domain → what its paths map to: serverless-domain-manager's work."""
    client = boto3.client("apigateway")
    return {
        each["domainName"]: [
            {name: mapping.get(name) for name in ("basePath", "restApiId", "stage")}
            for mapping in client.get_base_path_mappings(domainName=each["domainName"])["items"]
        ]
        for each in client.get_domain_names()["items"]
    }


def tables():
    """Table → the attributes of its key."""
    client = boto3.client("dynamodb")
    described = {name: client.describe_table(TableName=name)["Table"] for name in client.list_tables()["TableNames"]}
    return {name: [key["AttributeName"] for key in table["KeySchema"]] for name, table in described.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(run, *arguments):
        sub = commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__)
        for name, options in arguments:
            sub.add_argument(name, **options)
        sub.set_defaults(run=run)

    command(functions, ("prefix", {"nargs": "?", "default": "", "help": "only names that begin so"}))
    command(stack, ("name", {}))
    command(stacks)
    command(s3_keys, ("name", {"help": "a bucket or a stack"}))
    command(template_s3_missing, ("name", {"help": "a stack"}))
    command(invoke, ("name", {}), ("event", {"nargs": "?", "default": "{}"}))
    command(change_code, ("name", {}), ("text", {}))
    command(change_memory, ("name", {}), ("megabytes", {}))
    command(set_variable, ("name", {}), ("variable", {}), ("value", {}))
    command(domains)
    command(tables)

    arguments = vars(parser.parse_args())
    run = arguments.pop("run")
    try:
        json.dump(run(**arguments), sys.stdout, indent=2)
    except ClientError as error:
        sys.exit(f"awsctl: {error}")
    print()


main()
