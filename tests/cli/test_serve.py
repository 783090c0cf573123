"""`serve` in the terminal: a key that has to be shown, an address that answers, Ctrl+C that ends it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import httpx2
import pytest

from app.cli.serve import KEY_VARIABLE, OPEN_WARNING, given_key, words_of
from app.core.errors.server_errors import KeyFileUnreadable
from app.features.error_messages import sentence_for
from app.server.http_application import make_application
from app.server.running import RunningServer
from tests.helpers import warm
from tests.helpers.script import write_script
from tests.helpers.terminal import ROOT, command, fireside

NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def test_it_answers_at_the_address_it_says_until_it_is_interrupted(fresh_home: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": "served"})
    environment = os.environ | NO_KEYRING | {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    with warm.Process(
        command(["serve", "--port", "0", "--model", __file__, "--context", "700"]),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        said = [process.stderr.readline() for _ in range(4)]
        assert "no keyring" in said[0]
        address = re.search(r"http://127\.0\.0\.1:\d+/v1", said[1])
        key = said[2].rsplit(" ", 1)[1].strip()
        assert address is not None
        body = {"model": Path(__file__).name, "messages": [{"role": "user", "content": "Hello"}]}
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx2.post(f"{address[0]}/chat/completions", json=body, headers=headers, timeout=60)
        assert answer.json()["choices"][0]["message"]["content"] == "served"
        assert httpx2.post(f"{address[0]}/chat/completions", json=body, timeout=60).status_code == 401
        models = httpx2.get(address[0].replace("/v1", "/api/v0/models"), headers=headers, timeout=60).json()["data"]
        assert models[0]["loaded_context_length"] == 700
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_what_it_means_to_serve_other_computers_is_said() -> None:
    def said(host: str) -> str:
        return words_of(RunningServer(make_application, host, 8000), "k")  # type: ignore[arg-type]

    for host in ("0.0.0.0", "::", "192.168.1.7"):
        assert OPEN_WARNING in said(host)
    assert OPEN_WARNING not in said("127.0.0.1") + said("::1")


def test_a_port_that_is_taken_is_said_in_a_sentence(fresh_home: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = fireside(
            "serve",
            "--key",
            "k",
            "--port",
            str(port),
            "--model",
            __file__,
            environment={"FIRESIDE_ENGINE_SCRIPT": str(script)},
        )
    assert result.returncode == 1
    assert f"port {port}" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_key_comes_from_a_file_or_the_environment_where_nobody_else_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.txt"
    file.write_text("from the file \nmore\n")
    assert given_key(None, None) == ""
    monkeypatch.setenv(KEY_VARIABLE, " from outside\n")
    assert given_key(None, None) == "from outside"
    assert given_key(None, file) == "from the file"
    assert given_key("given", file) == "given"
    for unreadable in (tmp_path / "gone", tmp_path):
        with pytest.raises(KeyFileUnreadable):
            given_key(None, unreadable)
    file.write_text("\n")
    result = fireside("serve", "--key-file", str(file))
    assert (result.returncode, result.stdout) == (1, "")
    assert sentence_for(KeyFileUnreadable("key.txt", "its first line is empty")).text in result.stderr
