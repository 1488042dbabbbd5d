"""Runs what is written for OpenFaaS' templates in Python: handler.py has a function `handle`.

http    handle(event, context) returns {"statusCode": ..., "body": ..., "headers": ...}   (python3-http)
flask   handle(req) returns a body, or (body, status), or (body, status, headers)         (python3-flask)
stdin   handle(req) returns or prints the answer; a process for each request              (python3)
"""

import importlib
import importlib.machinery
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from urllib.parse import parse_qsl, urlsplit


def load():
    """As a package `function`, so that its modules may import each other by `from . import`."""
    directory = os.getcwd()
    sys.path.insert(0, directory)
    package = ModuleType("function")
    package.__path__ = [directory]
    sys.modules["function"] = package
    return importlib.import_module("function.handler").handle


class Event:
    def __init__(self, request, body):
        url = urlsplit(request.path)
        self.body = body
        self.headers = request.headers
        self.method = request.command
        self.query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.path = url.path


class Context:
    def __init__(self):
        self.hostname = os.getenv("HOSTNAME", "localhost")


def by_http(handle, request, body):
    answer = handle(Event(request, body), Context())
    if not isinstance(answer, dict):
        return answer, 200, {}
    return answer.get("body", ""), answer.get("statusCode", 200), answer.get("headers", {})


def by_flask(handle, request, body):
    is_raw = os.getenv("RAW_BODY", "").lower() in ("1", "true")
    answer = handle(body if is_raw else body.decode())
    parts = answer if isinstance(answer, tuple) else (answer,)
    return (*parts, 200, {})[:3] if len(parts) == 1 else (*parts, {})[:3]


def serve(handle, call):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body, status, headers = call(handle, self, self.read())
            names = {name.lower() for name in dict(headers)}
            if isinstance(body, (dict, list)):
                kind, data = "application/json", json.dumps(body).encode()
            else:
                kind, data = "text/html; charset=utf-8", body if isinstance(body, bytes) else str(body or "").encode()
            self.send_response(int(status))
            if "content-type" not in names:
                self.send_header("content-type", kind)
            for name, value in dict(headers).items():
                self.send_header(name, str(value))
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def read(self):
            if self.headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def log_message(self, *_):
            pass

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


def main():
    handle = load()
    if sys.argv[1] == "stdin":
        answer = handle(sys.stdin.read())
        if answer is not None:
            print(answer)
    else:
        serve(handle, {"http": by_http, "flask": by_flask}[sys.argv[1]])


main()
