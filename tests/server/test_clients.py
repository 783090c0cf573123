"""Other programs' own libraries ask a server of ours: `make test-clients` installs them first."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PySide6.QtGui import QColor, QImage

from app.core.paths import starter_model
from app.features.mcp.messages import WRONG_PARAMETERS
from app.features.tools.lent_documents import DIFFERS
from tests.helpers.script import write_script
from tests.helpers.terminal import ROOT
from tests.helpers.tiny_eyes import COLOURS, make_eye

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside"
INSTALLED = CACHE / "clients"
KEY = "the-key"
EMBEDDER = "all-MiniLM-L6-v2-F16"
SCRIPTS = Path(__file__).parent / "clients"
BEGUN = '{"legs":'
"""An answer that two of the scripts begin, and that is to be gone on with."""


@contextmanager
def fireside_serve(home: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--key", KEY, *arguments]
    keyless = {"FIRESIDE_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | keyless | environment, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        address = None
        while address is None:
            line = process.stderr.readline()
            assert line, "the server has ended"
            address = re.search(r"http://\S+", line)
        try:
            yield address[0]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    models = home / "data" / "models" / "tests"
    models.mkdir(parents=True)
    made = CACHE / "models" / f"{EMBEDDER}.gguf"
    assert made.exists(), "run `make test-clients`"
    (models / made.name).symlink_to(made)
    with fireside_serve(home) as found:
        yield found


@pytest.fixture(scope="module")
def seeing_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose model sees by a file that lies beside it."""
    folder, starter = tmp_path_factory.mktemp("seeing"), starter_model()
    assert starter is not None
    (folder / starter.name).symlink_to(starter)
    make_eye(starter, folder / f"mmproj-{starter.name}")
    with fireside_serve(folder / "home", "--model", str(folder / starter.name)) as found:
        yield found


def run(command: Sequence[object], *, folder: Path, **environment: str) -> str:
    """What it prints; fails with what it says where it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def script_command(client: str) -> list[str]:
    """What runs one of the scripts."""
    script = SCRIPTS / client
    if script.suffix == ".mjs":  # it looks for its libraries from where it lies
        return ["node", shutil.copy(script, INSTALLED / client)]
    return [str(INSTALLED / "clients" / "bin" / "python"), str(script)]


def seen_by(client: str, address: str, folder: Path, **environment: str) -> dict[str, Any]:
    """What one of the scripts saw."""
    starter = starter_model()
    assert starter is not None
    command = script_command(client)
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    told = run([*command, address, KEY, starter.stem, EMBEDDER], folder=folder, **environment)
    seen = json.loads(told.splitlines()[-1])
    assert isinstance(seen, dict)
    return seen


def alike(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "client", ["with_openai.py", "with_langchain.py", "with_litellm.py", "with_npm_openai.mjs", "with_npm_ai_sdk.mjs"]
)
def test_a_library_streams_calls_follows_a_schema_gets_vectors_and_goes_away(
    client: str, address: str, tmp_path: Path
) -> None:
    seen = seen_by(client, address, tmp_path)
    assert seen["streamed"]
    assert seen["call"] in (
        ["weather", {"rainy": True}],
        ["weather", {"rainy": False}],
        [["weather", {"rainy": True}]],
        [["weather", {"rainy": False}]],
        ["move_leg", {"side": True}],
        ["move_leg", {"side": False}],
    )
    assert seen["parsed"] in (True, [True, True], ["rainy"])
    dog, puppy, oil = seen["vectors"]
    assert alike(dog, dog) == pytest.approx(1, abs=1e-3)
    assert alike(dog, puppy) > alike(dog, oil) + 0.3
    assert seen["aborted"]
    headers = {"Authorization": f"Bearer {KEY}"}
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    assert httpx2.post(f"{address}/chat/completions", json=body, headers=headers, timeout=60).status_code == 200


def test_openai_sees_responses_and_errors_as_its_own(address: str, tmp_path: Path) -> None:
    seen = seen_by("with_openai.py", address, tmp_path)
    assert seen["models"][1] == EMBEDDER
    assert seen["streamed"][1] == 12
    assert seen["short"] == 8
    assert {"response.created", "response.output_text.delta", "response.completed"} <= set(seen["kinds"])
    assert seen["response_call"] == ["move_leg"]
    assert seen["errors"] == [
        ["NotFoundError", "model_not_found"],
        ["BadRequestError", "context_length_exceeded"],
        ["AuthenticationError", "invalid_api_key"],
    ]
    assert json.loads(BEGUN + seen["gone_on"])["legs"] in (2, 4)


def test_anthropic_streams_calls_counts_and_goes_away(address: str, tmp_path: Path) -> None:
    seen = seen_by("with_anthropic.py", address, tmp_path)
    assert seen["streamed"]
    assert (seen["stopped"], seen["answered"]) == ("max_tokens", "max_tokens")
    assert seen["call"] in (["weather", {"rainy": one}, "tool_use"] for one in (True, False))
    assert seen["counted"] > 10
    assert seen["errors"] == ["NotFoundError", "BadRequestError", "AuthenticationError"]
    assert json.loads(BEGUN + seen["gone_on"])["legs"] in (2, 4)


KILN = "The kiln cools for two days.\n\nAsh makes a good glaze.\n"


@pytest.mark.parametrize("kind", ["http", "stdio"])
@pytest.mark.parametrize("client", ["with_mcp.py", "with_npm_mcp.mjs"])
def test_an_mcp_client_reads_what_is_lent(client: str, kind: str, tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "kiln.txt"
    file.write_text(KILN)
    calls = {
        "search_documents": {"query": "How long does the kiln cool?"},
        "read_pages": {"document": "kiln", "first_page": 2},
        "summarize_document": {"document": "kiln"},
        "verify_claim": {"claim": "The kiln cools for three days."},
    }
    lent = ["--documents", str(file)]
    given = json.dumps(list(calls.items()))
    if kind == "http":
        with fireside_serve(home, *lent) as address:
            told = run([*script_command(client), kind, address.replace("/v1", "/mcp"), KEY, given], folder=tmp_path)
    else:
        started = [sys.executable, "-m", "app", "serve", "--stdio", *lent]
        told = run([*script_command(client), kind, "", "", given, *started], folder=ROOT, FIRESIDE_HOME=str(home))
    seen = json.loads(told.splitlines()[-1])
    assert seen["tools"] == dict.fromkeys(calls, True), "all of them only read"
    assert {name: is_error for name, (is_error, _) in seen["results"].items()} == dict.fromkeys(calls, False)
    texts = {name: text for name, (_, text) in seen["results"].items()}
    assert "kiln.txt [¶ 1]\nThe kiln cools for two days." in texts["search_documents"]
    assert texts["read_pages"] == "kiln.txt\n\nAsh makes a good glaze."
    assert "- Ash makes a good glaze. [¶ 2]" in texts["summarize_document"]
    assert texts["verify_claim"].startswith(DIFFERS)
    assert seen["unknown"] == WRONG_PARAMETERS
    assert kind == "stdio" or seen["refused"], "a wrong key"


@pytest.mark.parametrize("client", ["with_openai_pictures.py", "with_anthropic_pictures.py"])
def test_a_library_shows_a_picture_and_is_told_that_none_is_fetched(
    client: str, seeing_address: str, tmp_path: Path
) -> None:
    picture = QImage(96, 96, QImage.Format.Format_RGB888)
    picture.fill(QColor(*COLOURS["red"]))
    assert picture.save(str(tmp_path / "picture.png"))
    seen = seen_by(client, seeing_address, tmp_path, PICTURE=str(tmp_path / "picture.png"))
    assert set(seen["named"]) == {"red"}
    assert seen["errors"] == ["BadRequestError"] * len(seen["errors"]) != []


def test_llm_answers_in_a_terminal(address: str, tmp_path: Path) -> None:
    starter = starter_model()
    assert starter is not None
    (tmp_path / "extra-openai-models.yaml").write_text(
        f"- model_id: fireside\n  model_name: {starter.stem}\n  api_base: {address}\n  api_key_name: fireside\n"
        "  supports_schema: true\n  supports_tools: true\n"
    )
    (tmp_path / "keys.json").write_text(json.dumps({"fireside": KEY}))
    llm = [INSTALLED / "clients" / "bin" / "llm", "-m", "fireside", "-o", "max_tokens", "200"]
    assert run([*llm, "Say hello."], folder=tmp_path, LLM_USER_PATH=str(tmp_path)).strip()
    told = run([*llm, "--schema", "rainy bool", "Weather?"], folder=tmp_path, LLM_USER_PATH=str(tmp_path))
    assert isinstance(json.loads(told)["rainy"], bool)


CALL = '{"name": "get_weather", "arguments": {"city": "Paris"}}'
QWENS_WAY = {
    "opening": '<tool_call>\n{"name": "',
    "between": '", "arguments": ',
    "closing": "}\n</tool_call>",
    "begins": "<tool_call>",
}


FRAMEWORKS = {"agents": ("anthropic", "instructor", "langgraph", "openai_agents", "pydantic_ai")}
FRAMEWORKS["pipelines"] = ("haystack", "llama_index")
"""By the environment that they are installed in."""


@pytest.mark.parametrize(
    ("environment", "framework"), [(place, name) for place, names in FRAMEWORKS.items() for name in names]
)
def test_an_agent_calls_a_function_and_gets_an_answer_in_a_form(
    environment: str, framework: str, tmp_path: Path
) -> None:
    """With a scripted model, which writes its call in a fence, without its own tags, as small models do."""
    call = {"when": "weather", "text": f"```json\n{CALL}\n```", "times": 1}
    form = {"when": "Bob", "text": '{"name": "Bob", "age": 5}'}
    script = write_script(tmp_path / "script", call, form, {"text": "It is sunny."}, calls=QWENS_WAY)
    command = [INSTALLED / environment / "bin" / "python", SCRIPTS / "with_agents.py"]
    with fireside_serve(tmp_path / "home", "--model", str(script), FIRESIDE_ENGINE_SCRIPT=str(script)) as address:
        told = run([*command, address, KEY, framework], folder=tmp_path, HAYSTACK_TELEMETRY_ENABLED="False")
    seen = json.loads(told.splitlines()[-1])
    assert seen == {"called": ["Paris"], "said": "It is sunny.", "person": ["Bob", 5]}


EDIT = """I change the greeting.

greet.py
```python
<<<<<<< SEARCH
    print("hello")
=======
    print("goodbye")
>>>>>>> REPLACE
```
"""


def test_aider_edits_a_file(tmp_path: Path) -> None:
    """With a scripted model: the starter is too small to write such an answer."""
    script = write_script(tmp_path / "script", {"text": EDIT})
    file = tmp_path / "greet.py"
    file.write_text('def hello():\n    print("hello")\n')
    options = "--no-git --yes-always --no-show-model-warnings --analytics-disable --no-check-update --no-pretty"
    with fireside_serve(tmp_path / "home", "--model", str(script), FIRESIDE_ENGINE_SCRIPT=str(script)) as address:
        run(
            [
                INSTALLED / "aider" / "bin" / "aider",
                *("--model", f"openai/{script.stem}", *options.split(), "--edit-format", "diff"),
                *("--message", "Say goodbye instead.", "greet.py"),
            ],
            folder=tmp_path,
            HOME=str(tmp_path),
            OPENAI_API_BASE=address,
            OPENAI_API_KEY=KEY,
            LITELLM_LOCAL_MODEL_COST_MAP="True",
        )
    assert file.read_text() == 'def hello():\n    print("goodbye")\n'
