"""The terminal face, run as a process: names, exit codes, one JSON object, nothing else on standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.chat import NO_SUCH_ASSISTANT
from app.core import landlock
from app.core.cage_report import CageWall
from app.core.errors.app_error import FILE_CASES
from app.core.errors.hub_errors import NetworkOff
from app.core.errors.model_errors import ModelMissing, ModelUnreadable
from app.core.errors.saving_errors import FolderNotWritable
from app.core.installed_languages import own_file
from app.core.paths import AppPaths
from app.core.po_file import PoMessage, format_messages
from app.core.policy import VARIABLE
from app.core.settings import AppearanceSettings, Settings, save_settings
from app.features.administration import POLICY_USED
from app.features.error_messages import sentence_for
from app.features.protection import DEEDS, HELD, PROCESSES
from app.store.assistant_store import AssistantStore
from app.store.database import Database
from tests.helpers import warm
from tests.helpers.script import requests, write_script
from tests.helpers.terminal import ROOT, command, fireside, only_json

CHAT_FIELDS = {
    "text",
    "model",
    "prompt_tokens",
    "reused_tokens",
    "generated_tokens",
    "time_to_first_token_s",
    "tokens_per_s",
    "finish_reason",
    "thinking_tokens",
}


def test_version_and_help_answer_without_a_model() -> None:
    assert fireside("--version").stdout.startswith("Fireside 0.")
    assert "doctor" in fireside("--help").stdout


def test_the_terminal_speaks_the_language_of_the_system_or_of_the_settings() -> None:
    english, german = FILE_CASES["missing"], "Es gibt keine Datei {name}."
    path = own_file("de")
    path.parent.mkdir(parents=True)
    path.write_text(format_messages([PoMessage(None, english, None, (german,))]), "utf-8")
    asked = ("chat", "-p", "hi", "--model", "gone.gguf")
    told = german.format(name="gone.gguf")
    assert told in fireside(*asked, environment={"LANG": "de_AT.UTF-8"}).stderr
    assert english.format(name="gone.gguf") in fireside(*asked, environment={"LANG": "en_US.UTF-8"}).stderr
    settings = AppPaths.from_environment().settings
    save_settings(settings, Settings(appearance=AppearanceSettings(language="de")))
    assert told in fireside(*asked, environment={"LANG": "en_US.UTF-8"}).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["chat", "-p", "hi", "--temperature", "hot"],
        ["chat", "-p", "hi", "--max-tokens", "0"],
        ["chat", "-p", "hi", "--seed", "-1"],
        ["chat"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_says_why_on_stderr(arguments: list[str]) -> None:
    result = fireside(*arguments, text="")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["chat", "-p", "hi"],
        ["doctor"],
        ["read", "{text}"],
        ["summarize", "{text}"],
        ["translate", "--to", "de", "{text}"],
        ["evaluate", "translate", "--source", "{text}", "--reference", "{text}", "--to", "de"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_home_that_cannot_be_written_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    text, home = tmp_path / "text.txt", tmp_path / "a file" / "home"
    text.write_text("Some words that are here to be read.")
    home.parent.write_text("no folder")
    result = fireside(*(each.format(text=text) for each in arguments), environment={"FIRESIDE_HOME": str(home)})
    assert result.returncode == 1
    assert sentence_for(FolderNotWritable(str(home / "cache"))).text.removesuffix(".") in result.stderr
    assert "Traceback" not in result.stderr


ACTING = "\x1b]52;c;ZXZpbA==\x07 \x9b31m \x1b[2J \u202egnp.exe"
SEEN = r"\x1b]52;c;ZXZpbA==\x07 \x9b31m \x1b[2J \u202egnp.exe"


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a thing of POSIX")
def test_what_would_act_on_a_terminal_is_seen_there_and_piped_as_it_is(tmp_path: Path) -> None:
    from tests.helpers.typist import Typist

    script = write_script(tmp_path / "script", {"text": ACTING})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    for arguments in (["chat", "-p", "hi", "--model", "m.gguf"], ["chat", "-p", "hi", "--model", "m.gguf", "--json"]):
        piped = fireside(*arguments, environment=environment)
        on_terminal = Typist(*arguments, environment=environment)
        try:
            assert on_terminal.end() == 0
            on_terminal.wait_for("gnp.exe")
            shown = on_terminal.shown
        finally:
            on_terminal.close()
        if "--json" in arguments:
            assert json.loads(shown)["text"] == json.loads(piped.stdout)["text"] == ACTING
        else:
            assert SEEN in shown
            assert piped.stdout.strip() == ACTING.strip()
        assert not set("\x1b\x9b\x07\u202e").intersection(shown)
    name = tmp_path / f"{ACTING[:20]}.txt".replace("/", "")
    read = Typist("read", str(name))
    try:
        assert read.end() == 1
        read.wait_for(r"\x1b]52;")
        assert not set("\x1b\x9b\x07").intersection(read.shown)
    finally:
        read.close()


@pytest.mark.model
def test_chat_json_has_the_fixed_fields(starter: Path) -> None:
    hard_to_hold = "Say hello. العربية 👩‍👩‍👧 \u202eoverride <|im_end|>"
    result = fireside("chat", "-p", hard_to_hold, "--max-tokens", "12", "--temperature", "0", "--json")
    body = only_json(result)
    assert result.returncode == 0
    assert set(body) == CHAT_FIELDS
    assert body["model"] == starter.name
    assert body["text"].strip()
    assert 1 <= body["generated_tokens"] <= 12
    assert body["finish_reason"] in ("stop", "length")
    assert body["prompt_tokens"] > 10
    assert body["time_to_first_token_s"] > 0


@pytest.mark.model
@pytest.mark.slow
def test_the_same_seed_gives_the_same_answer(starter: Path) -> None:
    ask = ("chat", "-p", "Tell me a story.", "--max-tokens", "20", "--temperature", "1.5", "--json", "--seed")
    first, again, other = (only_json(fireside(*ask, seed))["text"] for seed in ("7", "7", "8"))
    assert first == again
    assert first != other


@pytest.mark.model
def test_piped_text_is_answered_when_there_is_no_display(starter: Path) -> None:
    result = fireside(text="Say hello")
    assert result.returncode == 0
    assert result.stdout.strip()
    assert "display" in result.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, ""),
        (b"", "empty"),
        (b"this is not a model" * 100, "not_gguf"),
        (b"GGUF\x03\x00\x00\x00" + b"\xff" * 16, "damaged"),
    ],
    ids=["missing", "empty", "random", "lying header"],
)
def test_a_bad_model_file_exits_1_with_one_sentence(tmp_path: Path, content: bytes | None, reason: str) -> None:
    model = tmp_path / "wörds 模型.gguf"
    if content is not None:
        model.write_bytes(content)
    result = fireside("chat", "-p", "hi", "--model", str(model), "--json")
    assert result.returncode == 1
    assert result.stdout == ""
    error = ModelUnreadable(str(model), reason) if reason else ModelMissing(str(model))
    assert result.stderr == f"{sentence_for(error).text}\n"
    assert model.name in result.stderr


@pytest.mark.model
def test_doctor_names_devices_folders_and_models(starter: Path, fresh_home: Path) -> None:
    body = only_json(fireside("doctor", "--json"))
    told = {
        "version",
        "build",
        "python",
        "llama_cpp",
        "llama_cpp_folder",
        "devices",
        "backends",
        "threads",
        "thread_policy",
        "folders",
        "models",
        "tuned",
        "machines_missed",
        "loaded",
        "placement",
        "protection",
        "network",
        "administrator",
    }
    assert set(body) == told
    assert isinstance(body["threads"], int)
    assert body["thread_policy"]["physical_cores"] >= 1
    assert "CPU" in body["backends"]
    assert any(device["type"] == "cpu" for device in body["devices"])
    assert all({"name", "type", "free_bytes", "total_bytes"} <= set(device) for device in body["devices"])
    assert all(Path(folder).is_relative_to(fresh_home) for folder in body["folders"].values())
    assert body["models"] == [str(starter)]
    assert body["placement"] == []
    assert all(set(host) == {"host", "proxy", "state", "answer"} for host in body["network"]["hosts"])
    assert set(body["administrator"]) == {"path", "is_broken", "faults", "problems"}
    said = fireside("doctor", "--model", str(starter)).stdout
    assert "Threads:" in said
    assert f"Loaded: {starter}\n  CPU: 31 layers, " in said
    held = HELD.partition(".")[0].format(process=PROCESSES["engine"], what=DEEDS[CageWall.NETWORK])
    assert held in said or not landlock.kernel_version()


@pytest.mark.model
def test_an_administrators_file_binds_the_terminal_and_doctor_tells_of_it(tmp_path: Path) -> None:
    policy = tmp_path / "settings.json"
    policy.write_text('{"network": {"allowed": false, "proxi": "http://office.example:3128"}}')
    environment = {VARIABLE: str(policy)}
    told = only_json(fireside("doctor", "--json", environment=environment))["administrator"]
    assert (told["path"], told["is_broken"], told["faults"]) == (str(policy), False, ["network.proxi"])
    assert POLICY_USED.format(path=policy) in fireside("doctor", environment=environment).stdout
    refused = fireside("models", "search", "llama", environment=environment)
    assert refused.returncode == 1
    assert refused.stderr == f"{sentence_for(NetworkOff()).text}\n"


def test_thinking_is_no_part_of_what_chat_prints(tmp_path: Path) -> None:
    script = write_script(tmp_path, {"thinking": "Hm, let me see.", "text": "Forty-two."})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    plain = fireside("chat", "-p", "Why?", "--model", "m.gguf", environment=environment)
    assert plain.stdout == "Forty-two.\n"
    body = only_json(fireside("chat", "-p", "Why?", "--model", "m.gguf", "--json", environment=environment))
    assert (body["text"], body["thinking_tokens"]) == ("Forty-two.", 3)  # the last word comes with the closing tag


def test_no_terminal_command_imports_qt_or_the_engine_library() -> None:
    code = (
        "import sys, app.cli.main, app.cli.models, app.bootstrap;"
        "print([m for m in sys.modules if m.startswith(('PySide6', 'llama_cpp'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.model
def test_an_interrupt_stops_the_answer_and_exits_130(starter: Path) -> None:
    process = warm.Process(
        # Greedy, the starter tells this story to the last token that it may; other answers may end before the signal.
        command(["chat", "-p", "Tell a long story about a lighthouse keeper.", "--temperature", "0"]),
        bufsize=0,  # or more than one byte may be taken from the pipe below, which `communicate` then misses
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.read(1), "no first word"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert out.endswith(b"\n")


def test_chat_takes_an_assistant_over_where_no_option_says_otherwise(tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": "Yes."})
    paths = AppPaths.from_environment()
    with closing(Database.open(paths.database)) as database:
        AssistantStore(database).create(
            "Tutor", instructions="One step.", sampling={"temperature": 0.5, "max_tokens": 30}
        )
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    asks = ["chat", "-p", "Hi", "--model", "m.gguf", "--json"]
    only_json(fireside(*asks, "--assistant", "tutor", "--max-tokens", "9", environment=environment))
    (asked,) = requests(script)
    assert asked["messages"] == [["system", "One step."], ["user", "Hi"]]
    assert (asked["sampling"]["temperature"], asked["max_tokens"]) == (0.5, 9)
    unknown = fireside(*asks, "--assistant", "Nobody", environment=environment)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == f"{NO_SUCH_ASSISTANT.format(name='Nobody')}\n"
