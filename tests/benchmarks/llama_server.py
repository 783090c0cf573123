"""llama-server, started for one measurement and asked over HTTP as its own clients would."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from comparing import Answer
from llama_build import built

from app.core.events import Message

START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 3600.0
LOG_BYTES_ON_FAILURE = 2000

# Greedy and nothing else, as on our side.
GREEDY = {"temperature": 0.0, "samplers": ["temperature"]}


class LlamaServer:
    """One running llama-server with its defaults, but for one slot and no cache of former prompts in memory.

    Both make it smaller and quicker to answer something new, so the comparison is not in our favour.
    """

    def __init__(
        self,
        model: Path,
        folder: Path,
        *,
        context_tokens: int = 8192,
        threads: int = 0,
        slots: int = 1,
        environment: Mapping[str, str] | None = None,
        projector: Path | None = None,
        options: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        self._log = folder / "log.txt"
        command = [str(built() / "llama-server"), "--model", str(model), "--host", "127.0.0.1"]
        command += ["--port", str(self._port), "--ctx-size", str(context_tokens), "--parallel", str(slots)]
        command += ["--cache-ram", "0", "--slot-save-path", str(folder), "--no-ui", "--offline"]
        command += [*options, *(["--threads", str(threads)] if threads else [])]
        command += ["--mmproj", str(projector)] if projector else []
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | dict(environment or {})
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LlamaServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """What the paths of OpenAI's contract are below."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def close(self) -> None:
        """Ends it; it is gone when this returns."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)

    def chat(self, messages: Sequence[Message], max_tokens: int, **options: Any) -> Answer:
        """One greedy answer, streamed; `options` are llama-server's own."""
        body = {"messages": _plain(messages), "max_tokens": max_tokens, "stream": True} | GREEDY | options
        pieces: list[str] = []
        first_s = 0.0
        timings: dict[str, Any] = {}
        with self._asked("/v1/chat/completions", body) as (response, began_s):
            for chunk in events(response):
                timings = chunk.get("timings", timings)
                choices = chunk.get("choices") or [{}]
                text = choices[0].get("delta", {}).get("content")
                if text:
                    first_s = first_s or time.perf_counter()
                    pieces.append(text)
            ended_s = time.perf_counter()
        read, kept = timings["prompt_n"], timings["cache_n"]
        return Answer("".join(pieces), first_s - began_s, ended_s - first_s, read + kept, kept, timings["predicted_n"])

    def tokens(self, messages: Sequence[Message], max_tokens: int) -> list[int]:
        """The ids of one greedy answer's tokens."""
        prompt = self.post("/apply-template", {"messages": _plain(messages)})["prompt"]
        body = {"prompt": prompt, "n_predict": max_tokens, "return_tokens": True} | GREEDY
        return cast(list[int], self.post("/completion", body)["tokens"])

    def save(self, name: str) -> None:
        """Writes what the slot has read to a file."""
        self.post("/slots/0?action=save", {"filename": name})

    def restore(self, name: str) -> None:
        """Reads it back."""
        self.post("/slots/0?action=restore", {"filename": name})

    def erase(self) -> None:
        """Forgets what the slot has read."""
        self.post("/slots/0?action=erase", {})

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One request with one answer."""
        with self._asked(path, body) as (response, _):
            return cast(dict[str, Any], json.loads(response.read()))

    @contextlib.contextmanager
    def _asked(self, path: str, body: Mapping[str, Any]) -> Iterator[tuple[http.client.HTTPResponse, float]]:
        """The response, and when the request was sent: the connection was made before."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.connect()
            content = json.dumps(body).encode()
            began_s = time.perf_counter()
            connection.request("POST", path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                raise ConnectionError(f"llama-server answers {path} with {response.status}: {response.read(500)!r}")
            yield response, began_s

    def _wait_until_ready(self) -> None:
        ends_s = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > ends_s:
                said = self._log.read_bytes()[-LOG_BYTES_ON_FAILURE:].decode("utf-8", "replace")
                raise ConnectionError(f"llama-server did not start: {said}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except OSError:
                return False


def events(lines: Iterator[bytes] | http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events, up to its end mark."""
    for line in lines:
        if line.startswith(b"data: "):
            content = line[6:].strip()
            if content == b"[DONE]":
                return
            yield json.loads(content)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _plain(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [{"role": str(message.role), "content": _content(message)} for message in messages]


def _content(message: Message) -> str | list[dict[str, Any]]:
    """A text, or pictures before it."""
    if not message.media:
        return message.text
    encoded = [base64.b64encode(Path(media.path).read_bytes()).decode("ascii") for media in message.media]
    urls = [
        {"type": "image_url", "image_url": {"url": f"data:image/x-portable-pixmap;base64,{one}"}} for one in encoded
    ]
    return [*urls, {"type": "text", "text": message.text}]
