"""A server of models of our own over real HTTP on 127.0.0.1, of any kind, with whatever may go wrong."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HELD_S = 3600.0
"""What is held stays so until the server ends: longer than any test."""


@dataclass
class Fault:
    """What goes wrong with the next `times` requests to a path that ends so; -1 means always.

    kind: status (with `status`, `headers`, `body`), html, garbage (`body`, else no JSON), nothing (an empty answer),
    half (the connection ends after `after` pieces), hold (no header comes), stall (none after `after` pieces), flood
    (pieces without end and without pause), refuse_field (400 where the request has the field `name`).
    """

    kind: str
    path: str = "/chat/completions"
    times: int = 1
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: int = 2
    name: str = ""


class FakeServer:
    """Use as a context manager. `answers` are told one after another, the last again and again; a function makes one
    of the request's body. Each word is a piece."""

    def __init__(self, *answers: str | Callable[[dict[str, Any]], str], kind: str = "", key: str = "") -> None:
        self.kind, self.key = kind, key
        self.answers = list(answers) or ["Yes, this is so."]
        self.models = ["tiny-1B"]
        self.context_tokens = 4096
        self.thinking = ""
        self.sees: bool | None = None
        """None: it does not say, whatever its kind."""
        self.piece_s = 0.0
        """How long each piece takes."""
        self.slots = threading.Semaphore(1_000)
        """So many answers are written side by side; the others wait for their turn."""
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.cut = 0
        """Answers whose reader went away."""
        self.at_once, self.most_at_once = 0, 0
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self.released = threading.Event()
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), name="fake server")

    def be_secure(self, certificate: Path, key: Path) -> None:
        """Speaks TLS from now on; before it is started."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    def __enter__(self) -> FakeServer:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """It is unplugged: running answers break off, and nothing listens any more. Safe to call twice."""
        self.released.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
            self._http.cut_all()
            self._http.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._http.server_port}"

    def fail(self, kind: str, **fields: Any) -> None:
        """From now on; see `Fault`."""
        with self._lock:
            self._faults.append(Fault(kind, **fields))

    def asked(self, end: str = "/chat/completions") -> list[dict[str, Any]]:
        """The bodies of the requests to a path that ends so."""
        return [body for path, body, _ in self.requests if path.endswith(end)]

    def next_fault(self, path: str, body: dict[str, Any]) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if path.endswith(fault.path) and (fault.kind != "refuse_field" or fault.name in body):
                    if fault.times > 0:
                        fault.times -= 1
                        if not fault.times:
                            self._faults.remove(fault)
                    return fault
        return None

    def next_answer(self, body: dict[str, Any]) -> str:
        with self._lock:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, str) else answer(body)

    def described(self) -> dict[str, Any]:
        """The list of models, as each kind of server has it."""
        owner = {"llama_cpp": "llamacpp", "ollama": "library", "lm_studio": "organization_owner"}.get(
            self.kind, self.kind
        )
        rows: list[dict[str, Any]] = [
            {"id": name, "object": "model", "owned_by": owner or "me"} for name in self.models
        ]
        if self.kind in ("vllm", "sglang"):
            rows = [row | {"max_model_len": self.context_tokens} for row in rows]
        return {"object": "list", "data": rows}

    def own(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """What a kind of server has beside the contract."""
        if self.kind == "llama_cpp" and path == "/props":
            props = {"default_generation_settings": {"n_ctx": self.context_tokens}, "chat_template": "{{ messages }}"}
            return props | ({} if self.sees is None else {"modalities": {"vision": self.sees, "audio": False}})
        if self.kind == "llama_cpp" and path == "/tokenize":
            return {"tokens": [{"id": 1, "piece": piece} for piece in _tokens(body["content"])]}
        if self.kind == "lm_studio" and path == "/api/v0/models":
            return {
                "data": [
                    {
                        "id": name,
                        "type": "vlm" if self.sees else "llm",
                        "loaded_context_length": self.context_tokens,
                        "max_context_length": 1 << 17,
                    }
                    for name in self.models
                ]
            }
        if self.kind == "ollama" and path == "/api/show":
            can = {} if self.sees is None else {"capabilities": ["completion", *(["vision"] if self.sees else [])]}
            described = {"llama.context_length": 131072}
            return {"model_info": described, "parameters": f"num_ctx   {self.context_tokens}"} | can
        if self.kind == "ollama" and path == "/api/ps":
            return {"models": []}
        return None


def _tokens(text: str) -> list[str]:
    """A tokenizer of two characters a token."""
    return [text[at : at + 2] for at in range(0, len(text), 2)]


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake
        self.open: set[Any] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        for request in list(self.open):
            try:
                request.shutdown(2)
            except OSError:
                pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length", "0"))
        self._serve(json.loads(self.rfile.read(size) or b"{}"))

    def _serve(self, body: dict[str, Any]) -> None:
        fake = self.server.fake
        fake.requests.append((self.path, body, dict(self.headers.items())))
        if fake.key and self.headers.get("authorization") != f"Bearer {fake.key}":
            self._json({"error": {"message": "Invalid API key"}}, 401)
            return
        fault = fake.next_fault(self.path, body)
        if fault is not None and fault.kind not in ("half", "stall", "flood"):
            self._fail(fault)
        elif self.path == "/v1/models":
            self._json(fake.described())
        elif (own := fake.own(self.path, body)) is not None:
            self._json(own)
        elif self.path in ("/v1/chat/completions", "/v1/completions"):
            with fake._lock:
                fake.at_once += 1
                fake.most_at_once = max(fake.most_at_once, fake.at_once)
            try:
                with fake.slots:
                    self._answer(body, fault)
            except OSError:
                fake.cut += 1
            finally:
                with fake._lock:
                    fake.at_once -= 1
        else:
            self._json({"error": {"message": "not found"}}, 404) if fake.kind else self._bytes(
                b"Not Found", 404, "text/plain"
            )

    def _fail(self, fault: Fault) -> None:
        match fault.kind:
            case "status":
                self._bytes(fault.body, fault.status, "application/json", fault.headers)
            case "html":
                self._bytes(b"<!doctype html><title>Router</title>", 200, "text/html")
            case "garbage":
                self._bytes(fault.body or b"data: {this is no JSON\n\n", 200, "text/event-stream")
            case "nothing":
                self._bytes(b"", 200, "text/event-stream")
            case "refuse_field":
                self._json({"error": {"message": f"unknown field: {fault.name}"}}, 400)
            case "hold":
                self.server.fake.released.wait(HELD_S)
                self.close_connection = True

    def _answer(self, body: dict[str, Any], fault: Fault | None) -> None:
        fake = self.server.fake
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        number = -1
        for number, piece in enumerate(self._pieces(body, fault)):
            if fault is not None and fault.kind in ("half", "stall") and number >= fault.after:
                if fault.kind == "stall":
                    fake.released.wait(HELD_S)
                self.close_connection = True
                return
            if fake.piece_s:
                time.sleep(fake.piece_s)
            self._event(piece)
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": max(1, len(json.dumps(body.get("messages", body.get("prompt", "")))) // 4)}
        self._event({"choices": [], "usage": usage | {"completion_tokens": number + 1}})
        self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _pieces(self, body: dict[str, Any], fault: Fault | None) -> Iterator[dict[str, Any]]:
        fake = self.server.fake
        for word in fake.thinking.split():
            yield {"choices": [{"index": 0, "delta": {"reasoning_content": word + " "}}]}
        while fault is not None and fault.kind == "flood" and not fake.released.is_set():
            yield self._piece(body, "word ")
        text = fake.next_answer(body)
        words = text.split(" ")
        for number, word in enumerate(words):
            yield self._piece(body, word + (" " if number < len(words) - 1 else ""))

    def _piece(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        if "messages" not in body:
            return {"choices": [{"index": 0, "text": text}]}
        return {"choices": [{"index": 0, "delta": {"content": text}}]}

    def _event(self, value: dict[str, Any]) -> None:
        self._chunk(b"data: " + json.dumps(value).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _json(self, value: Any, status: int = 200) -> None:
        self._bytes(json.dumps(value).encode(), status, "application/json")

    def _bytes(self, data: bytes, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
