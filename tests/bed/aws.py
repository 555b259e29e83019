"""A local AWS for the tests: `aws.py FILE` serves moto on a free port and writes `127.0.0.1:PORT` to FILE once it listens.

It ends by itself when whoever started it does: when its parent changes, or, if stdin is a pipe, when that is closed.
Where moto is further from AWS than the tests can bear, `nearer_to_aws` mends it.
"""

import os

PARENT = os.getppid()  # before the imports: they take seconds

import io
import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile

from moto.apigateway.models import APIGatewayBackend
from moto.awslambda.models import LambdaFunction, LayerVersion
from moto.awslambda.utils import get_backend
from moto.cloudformation import models as cloudformation
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ExportNotFound, ValidationError
from moto.server import ThreadedMotoServer

HOST = "127.0.0.1"
INVOKE_SECONDS = 30

# Arguments: the unpacked zip, the handler as Lambda writes it (path/file.function), the event.
RUN_HANDLER = """
const [directory, handler, event] = process.argv.slice(1);
const dot = handler.lastIndexOf('.');
Promise.resolve()
  .then(() => require(`${directory}/${handler.slice(0, dot)}`)[handler.slice(dot + 1)](JSON.parse(event), {}))
  .then((result) => ({ result: result === undefined ? null : result }))
  .catch((error) => ({ error: { errorType: error.name, errorMessage: error.message } }))
  .then((outcome) => require('fs').writeFileSync(process.env.SLSART_ANSWER, JSON.stringify(outcome)));
"""


def nearer_to_aws():
    mend_cloudformation()
    mend_exports()
    mend_layers()

    # GetBasePathMappings: moto answers 500 for a domain that has none yet.
    mappings = APIGatewayBackend.get_base_path_mappings

    def get_base_path_mappings(backend, domain_name):
        backend.base_path_mappings.setdefault(domain_name, {})
        return mappings(backend, domain_name)

    APIGatewayBackend.get_base_path_mappings = get_base_path_mappings

    # Invoke: moto wants Docker.
    LambdaFunction._invoke_lambda = run_live_code


def mend_cloudformation():
    # ValidateTemplate: moto takes cfn-lint's warnings for errors.
    lint = cloudformation.validate_template_cfn_lint
    cloudformation.validate_template_cfn_lint = lambda template: [
        finding for finding in lint(template) if finding.rule.id.startswith("E")
    ]

    # DeleteChangeSet: AWS does nothing when there is none of that name, moto answers 500.
    delete = cloudformation.CloudFormationBackend.delete_change_set

    def delete_change_set(backend, change_set_name):
        try:
            delete(backend, change_set_name)
        except UnboundLocalError:
            pass

    cloudformation.CloudFormationBackend.delete_change_set = delete_change_set

    # ExecuteChangeSet: moto leaves the stack's outputs as they were.
    apply = cloudformation.ChangeSet.apply

    def apply_with_outputs(change_set):
        apply(change_set)
        stack = change_set.stack
        stack.template = change_set.template
        stack._parse_template()
        stack.output_map = stack._create_output_map()

    cloudformation.ChangeSet.apply = apply_with_outputs

    # DescribeStackResource: moto trips over resources of types that it doesn't know (AWS::S3::BucketPolicy).
    resources = cloudformation.Stack.stack_resources.fget
    cloudformation.Stack.stack_resources = property(lambda stack: [each for each in resources(stack) if each])

    # An update of a resource whose type moto can't update loses it.
    update = parsing.parse_and_update_resource

    def parse_and_update_resource(logical_id, resource_json, resources_map, *args, **named):
        return update(logical_id, resource_json, resources_map, *args, **named) or resources_map[logical_id]

    parsing.parse_and_update_resource = parse_and_update_resource


def mend_exports():
    # moto knows exports only of stacks that were made without a change set, as they were then, and keeps none that is in use.
    make = cloudformation.Stack.__init__

    def make_with_exports(stack, *args, **named):
        make(stack, *args, **named)
        exports = backend_of(stack).exports
        stack.cross_stack_resources = stack.resource_map.cross_stack_resources = exports

    cloudformation.Stack.__init__ = make_with_exports

    apply = cloudformation.ChangeSet.apply

    def apply_with_exports(change_set):
        stack, template = change_set.stack, change_set.template_dict
        backend = backend_of(stack)
        outputs = template.get("Outputs", {}).values()
        after = {clean(stack, output["Export"]["Name"]) for output in outputs if "Export" in output}
        before = {name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id}
        for name in imports(stack, template):
            if name not in backend.exports:
                raise ExportNotFound(name)
        for other in backend.stacks.values():
            for name in (before - after) & set(imports(other, other.template_dict)):
                message = f"Export {name} cannot be deleted as it is in use by {other.name}"
                raise ValidationError(stack.stack_id, message=message)
        apply(change_set)
        for name in before - after:
            del backend.exports[name]
        backend.exports.update({export.name: export for export in stack.exports})

    cloudformation.ChangeSet.apply = apply_with_exports


def backend_of(stack):
    return cloudformation.cloudformation_backends[stack.account_id][stack.region_name]


def clean(stack, value):
    return parsing.clean_json(value, stack.resource_map)


def imports(stack, value):
    """The names that a part of the stack's template imports."""
    if isinstance(value, dict):
        if "Fn::ImportValue" in value:
            yield clean(stack, value["Fn::ImportValue"])
        for each in value.values():
            yield from imports(stack, each)
    elif isinstance(value, list):
        for each in value:
            yield from imports(stack, each)


def mend_layers():
    # moto makes a layer's first version only, under another name, and doesn't tell it to the function.
    LayerVersion.cloudformation_name_type = staticmethod(lambda: "LayerName")
    LayerVersion.physical_resource_id = LayerVersion.arn

    def publish(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    LayerVersion.update_from_cloudformation_json = classmethod(publish)

    create = LambdaFunction.create_from_cloudformation_json.__func__

    def create_with_layers(cls, resource_name, cloudformation_json, *args, **named):
        function = create(cls, resource_name, cloudformation_json, *args, **named)
        function.update_configuration({"Layers": cloudformation_json["Properties"].get("Layers", [])})
        return function

    LambdaFunction.create_from_cloudformation_json = classmethod(create_with_layers)


def run_live_code(function, event=None):
    """Runs the function's live zip under this machine's node. Returns what moto expects: answer, whether it failed, log."""
    layers = [get_backend(function.account_id, function.region).layers_versions_by_arn(each["Arn"]) for each in function.layers]
    with tempfile.TemporaryDirectory() as directory:
        code, opt, answer = (pathlib.Path(directory, name) for name in ("code", "opt", "answer"))
        unpack(function.code_bytes, code)
        for layer in layers:
            unpack(layer.code_bytes, opt)
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "NODE_PATH": "/opt/nodejs/node_modules",
            **function.environment_vars,
            "SLSART_ANSWER": str(answer),  # not stdout: the function may print
        }
        environment["NODE_PATH"] = environment["NODE_PATH"].replace("/opt/", f"{opt}/")
        run = subprocess.run(
            ["node", "-e", RUN_HANDLER, code, function.handler, event if isinstance(event, str) else json.dumps(event or {})],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INVOKE_SECONDS,
            check=False,
        )
        outcome = json.loads(answer.read_text()) if answer.exists() else {"error": {"errorType": "Runtime.ExitError"}}
    failed = "error" in outcome
    return json.dumps(outcome["error"] if failed else outcome["result"]), failed, run.stdout


def unpack(code, directory):
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        archive.extractall(directory)


def wait_for_the_end():
    closed = threading.Event()

    def read_to_the_end():
        while os.read(0, 4096):
            pass
        closed.set()

    mode = os.fstat(0).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=read_to_the_end, daemon=True).start()
    while not closed.wait(0.5) and os.getppid() == PARENT:
        pass


def write_whole(path, text):
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.rename(path)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: aws.py FILE")
    nearer_to_aws()
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    write_whole(pathlib.Path(sys.argv[1]), "%s:%d\n" % server.get_host_and_port())
    # The first deploy would otherwise wait for the seconds that this takes.
    threading.Thread(target=lambda: __import__("cfnlint.api"), daemon=True).start()
    wait_for_the_end()
    os._exit(0)  # Python's own end would wait for requests that are under way


main()
