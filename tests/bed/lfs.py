"""A Git LFS server for the tests: `lfs.py FILE DIRECTORY` serves giftless on a free port, keeps objects below DIRECTORY as
`<organisation>/<repository>/<oid>`, and writes `127.0.0.1:PORT` to FILE once it listens. The URL of a repository's LFS is
`http://127.0.0.1:PORT/<organisation>/<repository>`.

It ends by itself when whoever started it does: when its stdin, a pipe, is closed.
`DIRECTORY/<organisation>/<repository>.fault` makes trouble for that repository's transfers of objects:
  cut     sends half of an object and closes the connection
  hang    sends half, writes `<repository>.hanging`, and waits until `<repository>.fault` is gone
  other   answers with other bytes of the same length
  refuse  answers an upload with 507, out of space
"""

import os
import pathlib
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore")

from giftless.app import init_app
from werkzeug.serving import WSGIRequestHandler, make_server

FAULT_POLL_SECONDS = 0.02


def faulty(app, directory):
    """`app`, with the trouble that a fault file asks for."""

    def middleware(environ, start_response):
        parts = environ["PATH_INFO"].strip("/").split("/")
        repository = directory.joinpath(*parts[:2]) if len(parts) > 2 else directory / "none" / "none"
        fault = repository.with_name(repository.name + ".fault")
        is_object = len(parts[-1]) == 64
        trouble = fault.read_text().strip() if is_object and fault.exists() else ""
        if trouble == "refuse" and environ["REQUEST_METHOD"] == "PUT":
            start_response("507 Insufficient Storage", [("Content-Length", "0")])
            return [b""]
        response = app(environ, start_response)
        if environ["REQUEST_METHOD"] != "GET" or trouble not in ("cut", "hang", "other"):
            return response
        content = b"".join(response)
        if trouble == "other":
            return [bytes(byte ^ 1 for byte in content)]
        return half(content, fault, trouble == "hang")

    return middleware


def half(content, fault, hang):
    yield content[: len(content) // 2]
    if hang:
        fault.with_suffix(".hanging").touch()
        while fault.exists():
            time.sleep(FAULT_POLL_SECONDS)
    raise ConnectionAbortedError("the rest is not sent")


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


def main():
    announcement, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    streaming = {
        "factory": "giftless.transfer.basic_streaming:factory",
        "options": {
            "storage_class": "giftless.storage.local_storage:LocalStorage",
            "storage_options": {"path": str(directory)},
            "action_lifetime": 900,
        },
    }
    app = init_app(
        additional_config={
            "TRANSFER_ADAPTERS": {"basic": streaming},
            "AUTH_PROVIDERS": ["giftless.auth.allow_anon:read_write"],
        }
    )
    server = make_server("127.0.0.1", 0, faulty(app, directory), threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    written = announcement.with_suffix(".new")
    written.write_text(f"127.0.0.1:{server.server_port}")
    written.rename(announcement)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
