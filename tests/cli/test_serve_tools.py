"""`serve --stdio` as a program starts it: a message a line, nothing else on standard output, an end with its input."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app import APP_NAME
from app.cli.lock import FILE_VARIABLE
from app.cli.serve import LOCKED_MEANWHILE, NOTHING_LENT
from app.cli.terminal import INTERRUPTED
from app.core.paths import AppPaths
from app.core.settings import ServingSettings, Settings, save_settings
from app.features.document_library import build_documents
from app.features.lock.lock_change import set_lock
from app.features.lock.open_copies import close_home, tell_locked, unlock_home
from app.features.mcp.client_session import MOST_MESSAGE_BYTES
from app.features.mcp.messages import NO_REQUEST, NOT_JSON, PROTOCOL, SESSION_HEADER, notification, request
from app.store.database import Database
from tests.helpers import warm
from tests.helpers.script import write_script
from tests.helpers.terminal import ROOT, command, fireside

GREETING = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
LIST = request(1, "tools/list", {})
KILN = "The kiln cools for two days.\n\nAsh makes a good glaze.\n"


def answers_to(*messages: object, arguments: tuple[str, ...] = ()) -> tuple[dict[Any, dict[str, Any]], str]:
    """Return the answers by id, and what was said on standard error; every line of the output is a message."""
    lines = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    result = fireside("serve", "--stdio", *arguments, text="".join(f"{line}\n" for line in lines))
    assert result.returncode == 0, result.stderr
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(message["jsonrpc"] == "2.0" for message in found)
    return {message["id"]: message for message in found}, result.stderr


def test_named_documents_and_no_others_are_read(fresh_home: Path, tmp_path: Path) -> None:
    (tmp_path / "kiln.txt").write_text(KILN)
    call = {"name": "search_documents", "arguments": {"query": "How long does the kiln cool?"}}
    told, said = answers_to(
        request(0, "initialize", GREETING),
        notification("notifications/initialized"),
        LIST,
        request(2, "tools/call", call),
        arguments=("--documents", str(tmp_path / "kiln.txt")),
    )
    assert told[0]["result"]["protocolVersion"] == PROTOCOL
    names = [tool["name"] for tool in told[1]["result"]["tools"]]
    assert names == ["search_documents", "read_pages", "summarize_document", "verify_claim"]
    assert "kiln.txt [¶ 1]\nThe kiln cools" in told[2]["result"]["content"][0]["text"]
    assert NOTHING_LENT not in said
    assert not AppPaths.from_environment().database.exists(), "nothing is stored"


def test_stored_documents_are_read_with_the_grant_alone(fresh_home: Path) -> None:
    paths = AppPaths.from_environment()
    with closing(Database.open(paths.database)) as database:
        library = build_documents(paths, database)
        document = library.keep_text(KILN, "kiln.txt")
        library.attachments.add_to_draft(None, document.id)
    told, said = answers_to(LIST)
    assert told[1]["result"]["tools"] == []
    assert NOTHING_LENT in said
    read = request(2, "tools/call", {"name": "read_pages", "arguments": {"document": "kiln", "first_page": 2}})
    for grant in ("argument", "setting"):
        if grant == "setting":
            save_settings(paths.settings, Settings(serving=ServingSettings(lends_documents=True)))
        told, said = answers_to(read, arguments=("--allow-documents",) if grant == "argument" else ())
        assert told[2]["result"]["content"][0]["text"] == "kiln.txt\n\nAsh makes a good glaze."
        assert NOTHING_LENT not in said


def test_hostile_lines_are_refused_and_the_next_ones_answered(fresh_home: Path) -> None:
    long = '"' + "x" * (3 * MOST_MESSAGE_BYTES) + '"'
    told, said = answers_to("nonsense", "", "[" * 100_000, LIST)
    assert told[None]["error"]["code"] == NOT_JSON
    assert told[1]["result"]["tools"] == []
    told, said = answers_to(long, request(3, "ping", {}), "\udcff\x00".encode("utf-8", "replace").decode())
    assert told[3]["result"] == {}
    assert "Traceback" not in said
    told, _ = answers_to(long)
    assert told[None]["error"]["code"] == NO_REQUEST


def test_files_that_cannot_be_read_leave_nothing_to_lend(fresh_home: Path, tmp_path: Path) -> None:
    told, said = answers_to(LIST, arguments=("--documents", str(tmp_path / "gone.txt")))
    assert told[1]["result"]["tools"] == []
    assert "gone.txt" in said


@pytest.mark.parametrize("way", ["streams", "http"])
def test_stored_documents_are_lent_until_the_window_locks(
    fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    paths, words = AppPaths.from_environment(), tmp_path / "words"
    with closing(Database.open(paths.database)) as database:
        library = build_documents(paths, database)
        library.attachments.add_to_draft(None, library.keep_text(KILN, "kiln.txt").id)
    words.write_text("correct horse")
    list(set_lock(paths, "correct horse"))
    monkeypatch.setenv(FILE_VARIABLE, str(words))
    over_http = ("--port", "0", "--model", __file__, "--key", "k")
    with warm.Process(
        command(["serve", "--allow-documents", *(over_http if way == "http" else ["--stdio"])]),
        cwd=ROOT,
        env=os.environ | {"FIRESIDE_ENGINE_SCRIPT": str(write_script(tmp_path / "script"))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        if way == "http":
            assert "http://" in process.stderr.readline()
        else:
            process.stdin.write(json.dumps(LIST) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["result"]["tools"]
        unlocked = unlock_home(paths, "correct horse")
        tell_locked(unlocked)
        close_home(unlocked)
        said = process.stderr.read()
        assert process.wait(timeout=60) == (0 if way == "http" else INTERRUPTED)
    assert LOCKED_MEANWHILE.format(app=APP_NAME) in said
    assert unlocked.unlocked is not None and not unlocked.unlocked.exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_it_ends_with_its_input_and_by_a_signal(fresh_home: Path) -> None:
    for ends in ("input", "signal"):
        with warm.Process(
            command(["serve", "--stdio"]),
            cwd=ROOT,
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(request(1, "ping", {})).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["result"] == {}
            if ends == "input":
                process.stdin.close()
                assert process.wait(timeout=60) == 0
            else:
                process.terminate()
                assert process.wait(timeout=60) != 0


def test_over_http_the_grant_counts_from_the_moment_it_is_given(fresh_home: Path, tmp_path: Path) -> None:
    paths = AppPaths.from_environment()
    with closing(Database.open(paths.database)) as database:
        library = build_documents(paths, database)
        library.attachments.add_to_draft(None, library.keep_text(KILN, "kiln.txt").id)
    script = write_script(tmp_path / "script")
    with warm.Process(
        command(["serve", "--port", "0", "--model", __file__, "--key", "k"]),
        cwd=ROOT,
        env=os.environ | {"FIRESIDE_ENGINE_SCRIPT": str(script)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1].replace("/v1", "/mcp")
        headers = {"Authorization": "Bearer k"}

        def post(method: str, **parameters: object) -> httpx2.Response:
            return httpx2.post(address, json=request(1, method, parameters), headers=headers, timeout=60)

        headers[SESSION_HEADER] = post("initialize", **GREETING).headers[SESSION_HEADER]
        read = {"name": "read_pages", "arguments": {"document": "kiln", "first_page": 2}}
        for is_lent in (False, True, False):
            save_settings(paths.settings, Settings(serving=ServingSettings(lends_documents=is_lent)))
            assert bool(post("tools/list").json()["result"]["tools"]) == is_lent
            assert ("Ash makes" in post("tools/call", **read).text) == is_lent
        process.terminate()
