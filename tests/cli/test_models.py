"""`models …` in the terminal, as a process, against a Hub of our own over real HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.disk_commands import ALREADY_HERE, NOT_CHECKED
from app.cli.models import OFF_LIST, USED_BY
from app.cli.terminal import NO_FOLDER
from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import AccessGated, FileNotOnHub, RepositoryMissing
from app.core.errors.model_errors import ModelAltered, ModelMissing, ModelNotInstalled, ModelUnreadable
from app.core.paths import AppPaths
from app.core.settings import load_settings, save_settings
from app.features.error_messages import sentence_for
from app.store.conversations import Conversations
from app.store.database import Database
from tests.helpers import warm
from tests.helpers.fake_hub import FakeHub
from tests.helpers.gguf_files import header, padded
from tests.helpers.terminal import ROOT, command, fireside, only_json
from tests.helpers.texts import shows
from tests.helpers.tiny_models import make_tiny

DOWNLOAD_FIELDS = {"path", "size_bytes", "sha256", "resumed_bytes", "seconds"}
TINY = padded(header({"general.architecture": "llama", "llama.block_count": 1}, [("token_embd.weight", (32,), 0, 0)]))


def tiny(fill: int, size: int = 40_000) -> bytes:
    """A file that begins as a model does; its weights are one number."""
    return TINY + bytes([fill]) * size


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """Its address is in the environment, and nobody's real home is looked into."""
    with FakeHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HOME", str(tmp_path / "person"))
        for name in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "LLAMA_CACHE", "OLLAMA_MODELS"):
            monkeypatch.delenv(name, raising=False)
        yield running


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_model_that_was_downloaded_answers(hub: FakeHub, starter: Path, tmp_path: Path, fresh_home: Path) -> None:
    variant = make_tiny("llama", tmp_path / "model-Q8_0.gguf")
    hub.add("someone/model-GGUF", {"model-Q8_0.gguf": variant, "README.md": b"# A model"})
    body = only_json(fireside("models", "download", "someone/model-GGUF", "--json"))
    assert set(body) == DOWNLOAD_FIELDS
    assert body["size_bytes"] == variant.stat().st_size
    assert body["sha256"] == sha_of(variant.read_bytes())
    assert (body["resumed_bytes"], body["seconds"] > 0) == (0, True)
    path = Path(body["path"])
    assert path == fresh_home / "data" / "models" / "someone" / "model-GGUF" / "model-Q8_0.gguf"
    listed = only_json(fireside("models", "list", "--json"))["models"]
    assert [(row["origin"], Path(row["path"]).name) for row in listed] == [
        ("starter", starter.name),
        ("downloaded", "model-Q8_0.gguf"),
    ]
    assert listed[1]["repo"] == "someone/model-GGUF"
    answer = only_json(fireside("chat", "-p", "hi", "--model", str(path), "--max-tokens", "4", "--json"))
    assert (answer["model"], answer["text"] != "") == ("model-Q8_0.gguf", True)
    doctor = only_json(fireside("doctor", "--json"))
    assert doctor["models"] == [str(starter), str(path)]


def test_an_interrupted_download_keeps_what_it_has_and_goes_on(hub: FakeHub, fresh_home: Path) -> None:
    content = tiny(7, 3_000_000)
    hub.add("someone/large", {"large-Q4_K_M.gguf": content})
    hub.bytes_per_s = 1_000_000
    process = warm.Process(
        command(["models", "download", "someone/large", "--json"]),
        cwd=ROOT,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    hub.wait_for(lambda: hub.sent_of("/blob/") > 1_000_000)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err
    folder = fresh_home / "data" / "models" / "someone" / "large"
    here = (folder / "large-Q4_K_M.gguf.part").stat().st_size
    assert 0 < here < len(content)
    hub.bytes_per_s = 0
    result = fireside("models", "download", "someone/large", "--json")
    body = only_json(result)
    assert (result.returncode, body["resumed_bytes"], body["sha256"]) == (0, here, sha_of(content))
    assert (folder / "large-Q4_K_M.gguf").read_bytes() == content
    assert "Downloading" in result.stderr or "Checking" in result.stderr
    assert hub.seen("storage", "GET")[-1].range_start == here
    again = only_json(fireside("models", "download", "someone/large", "--json"))
    assert again["resumed_bytes"] == len(content)
    assert len(hub.seen("storage", "GET")) == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "m-Q4_K_M.gguf"),
        (["m-Q8_0.gguf"], "m-Q8_0.gguf"),
        (["q8_0"], "m-Q8_0.gguf"),
    ],
    ids=["balanced", "by name", "by tag"],
)
def test_the_file_is_the_named_one_else_a_balanced_one(hub: FakeHub, arguments: list[str], expected: str) -> None:
    hub.add("a/m", {"m-Q2_K.gguf": tiny(1, 20_000), "m-Q4_K_M.gguf": tiny(2), "m-Q8_0.gguf": tiny(3, 80_000)})
    body = only_json(fireside("models", "download", "a/m", *arguments, "--json"))
    assert Path(body["path"]).name == expected


def test_the_suggested_file_of_a_repository_is_taken_before_a_balanced_one(hub: FakeHub) -> None:
    repo = "tencent/Hy-MT2-7B-GGUF"
    hub.add(repo, {"Hy-MT2-7B-Q4_K_S.gguf": tiny(1), "Hy-MT2-7B-Q4_K_M.gguf": tiny(2)})
    body = only_json(fireside("models", "download", repo, "--json"))
    assert Path(body["path"]).name == "Hy-MT2-7B-Q4_K_M.gguf"


def test_all_parts_and_the_vision_file_come_along(hub: FakeHub) -> None:
    files = {"big-Q4_K_M-00001-of-00002.gguf": tiny(1), "big-Q4_K_M-00002-of-00002.gguf": tiny(2)}
    hub.add("a/big", files | {"mmproj-F16.gguf": tiny(3, 15_000)})
    body = only_json(fireside("models", "download", "a/big", "--json"))
    folder = Path(body["path"]).parent
    assert sorted(path.name for path in folder.glob("*.gguf")) == sorted([*files, "mmproj-F16.gguf"])
    assert body["size_bytes"] == sum(map(len, files.values()))
    assert body["vision_path"] == str(folder / "mmproj-F16.gguf")


def test_the_same_bytes_in_another_program_are_used_where_they_lie(hub: FakeHub, tmp_path: Path) -> None:
    content = tiny(5)
    blob = tmp_path / "person" / ".lmstudio" / "models" / "a" / "m" / "other-name.gguf"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(content)
    hub.add("a/m", {"m-Q4_K_M.gguf": content})
    body = only_json(fireside("models", "download", "a/m", "--json"))
    assert (body["path"], body["resumed_bytes"]) == (str(blob), len(content))
    assert not hub.seen("storage")
    listed = only_json(fireside("models", "list", "--json"))["models"]
    assert ("opened", str(blob)) in [(row["origin"], row["path"]) for row in listed]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["download", "no/such"], RepositoryMissing("no/such")),
        (["download", "a/m", "other.gguf"], FileNotOnHub("a/m", "other.gguf")),
        (["download", "a/secret"], AccessGated("a/secret", has_token=False)),
        (["info", "no/such"], RepositoryMissing("no/such")),
        (["remove", "nothing"], ModelNotInstalled("nothing")),
        (["import", "/no/such/file.gguf"], ModelMissing("/no/such/file.gguf")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_failure_is_one_sentence_and_1(hub: FakeHub, arguments: list[str], error: AppError) -> None:
    hub.add("a/m", {"m-Q4_K_M.gguf": tiny(1)})
    hub.add("a/secret", {"s-Q4_K_M.gguf": tiny(2)}, gated="manual")
    result = fireside("models", *arguments, "--json")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == sentence_for(error).text
    assert "Traceback" not in result.stderr


def test_a_damaged_download_is_told_and_removed(hub: FakeHub, fresh_home: Path) -> None:
    hub.add("a/m", {"m-Q4_K_M.gguf": tiny(1)})
    hub.fail("flip", times=-1, after_bytes=30_000)
    result = fireside("models", "download", "a/m")
    assert result.returncode == 1
    assert "arrived damaged twice" in result.stderr
    assert not list((fresh_home / "data" / "models").rglob("*.gguf*"))


def test_with_the_network_switched_off_nothing_is_sent(hub: FakeHub, fresh_home: Path) -> None:
    (fresh_home / "config").mkdir(parents=True)
    (fresh_home / "config" / "settings.json").write_text(json.dumps({"network": {"allowed": False}}))
    result = fireside("models", "search", "anything")
    assert result.returncode == 1
    assert "switched off" in result.stderr
    assert hub.requests == []


def test_search_and_info_say_what_there_is(hub: FakeHub) -> None:
    hub.add("a/needle-GGUF", {"n-Q4_K_M.gguf": tiny(1)}, downloads=5, tags=["gguf", "license:mit"])
    hub.add("a/hay", {"h.gguf": tiny(2)})
    body = only_json(fireside("models", "search", "needle", "--json"))
    assert [(row["repo"], row["downloads"], row["license"]) for row in body["models"]] == [("a/needle-GGUF", 5, "mit")]
    assert "a/needle-GGUF: 5 downloads, mit" in fireside("models", "search", "needle").stdout
    info = only_json(fireside("models", "info", "a/needle-GGUF", "--json"))
    (file,) = info["files"]
    assert (file["name"], file["tag"], file["size_bytes"]) == ("n-Q4_K_M.gguf", "Q4_K_M", len(tiny(1)))
    assert file["sha256"] == sha_of(tiny(1))
    assert "n-Q4_K_M.gguf, 40 kB, balanced, Q4_K_M" in fireside("models", "info", "a/needle-GGUF").stdout


def test_a_file_is_brought_along_and_removed_into_the_trash(hub: FakeHub, tmp_path: Path, fresh_home: Path) -> None:
    source = tmp_path / "möin 模型.gguf"
    source.write_bytes(tiny(9))
    (row,) = only_json(fireside("models", "import", str(source), "--json"))["models"]
    assert source.exists()
    assert (row["origin"], Path(row["path"]).read_bytes()) == ("added", tiny(9))
    assert fireside("models", "list").stdout.count("模型") >= 1
    (gone,) = only_json(fireside("models", "remove", source.name, "--json"))["models"]
    assert gone["path"] == row["path"]
    assert not Path(row["path"]).exists()
    assert [path.name for path in (fresh_home / "data" / "models" / ".trash").rglob("*.gguf")] == [source.name]


def test_removing_a_model_says_what_used_it(hub: FakeHub, tmp_path: Path, fresh_home: Path) -> None:
    paths = AppPaths.from_environment()

    def add_in_use() -> str:
        source = tmp_path / "used.gguf"
        source.write_bytes(tiny(9))
        (row,) = only_json(fireside("models", "import", str(source), "--json"))["models"]
        settings = load_settings(paths.settings)[0]
        save_settings(paths.settings, replace(settings, models=replace(settings.models, translate_path=row["path"])))
        return str(row["path"])

    path = add_in_use()
    with closing(Database.open(paths.database)) as database:
        chats = [Conversations(database).create(title="Mine", model=path).id for _ in range(2)]
    said = fireside("models", "remove", "used.gguf")
    assert said.returncode == 0
    assert said.stdout.endswith(USED_BY.format(users="Translate, 2 chats") + "\n")
    assert add_in_use() == path
    (gone,) = only_json(fireside("models", "remove", "used.gguf", "--json"))["models"]
    assert gone["used_by"] == {"tasks": ["translate"], "chats": chats, "projects": [], "assistants": []}


def test_models_travel_on_a_disk_with_their_checksums(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("someone/small-GGUF", {"small-Q4_K_M.gguf": tiny(3), "README.md": b"# A model"})
    fireside("models", "download", "someone/small-GGUF")
    stick = tmp_path / "stick"
    missing = fireside("models", "export", "small-Q4_K_M.gguf", "--to", str(stick))
    assert (missing.returncode, shows(NO_FOLDER, missing.stderr), stick.exists()) == (1, True, False)
    stick.mkdir()
    (folder,) = only_json(fireside("models", "export", "small-Q4_K_M.gguf", "--to", str(stick), "--json"))["folders"]
    subprocess.run(["sha256sum", "--status", "-c", "SHA256SUMS"], cwd=folder, check=True)
    (stick / "plain-Q8_0.gguf").write_bytes(tiny(4))
    (stick / "wrong-Q8_0.gguf").write_bytes(tiny(5))
    (stick / "wrong-Q8_0.gguf.sha256").write_text(sha_of(tiny(6)))
    monkeypatch.setenv("FIRESIDE_HOME", str(tmp_path / "other computer"))
    listed = only_json(fireside("models", "import", str(stick), "--list", "--json"))["models"]
    assert sorted((Path(row["path"]).name, row["has_checksums"]) for row in listed) == [
        ("plain-Q8_0.gguf", False),
        ("small-Q4_K_M.gguf", True),
        ("wrong-Q8_0.gguf", True),
    ]
    result = fireside("models", "import", str(stick))
    added = {Path(line).name for line in result.stdout.splitlines()}
    assert (result.returncode, added) == (1, {"plain-Q8_0.gguf", "small-Q4_K_M.gguf"})
    refused = ModelAltered(str(stick / "wrong-Q8_0.gguf"))
    assert sentence_for(refused).text in result.stderr and shows(NOT_CHECKED, result.stderr)
    rows = {row["name"]: row for row in only_json(fireside("models", "list", "--json"))["models"]}
    assert (rows["small"]["repo"], rows["small"]["origin"]) == ("someone/small-GGUF", "added")
    (stick / "plain-Q8_0.gguf").unlink()
    (stick / "wrong-Q8_0.gguf.sha256").write_text(sha_of(tiny(5)))
    assert fireside("models", "import", str(stick)).stdout.count("wrong-Q8_0.gguf") == 1
    again = fireside("models", "import", str(stick), "--how", "in_place")
    assert (again.returncode, again.stdout) == (0, "") and shows(ALREADY_HERE, again.stderr)


def test_what_is_wrong_on_a_disk_is_english_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    cut = tmp_path / "stick" / "cut.gguf"
    cut.parent.mkdir()
    cut.write_bytes(tiny(1)[:200])
    listed = only_json(fireside("models", "import", str(cut.parent), "--list", "--json"))
    assert listed == {"models": [], "problems": [str(sentence_for(ModelUnreadable(str(cut), "truncated")))]}
    assert listed["problems"][0] not in fireside("models", "import", str(cut.parent), "--list").stderr


def test_a_file_used_in_place_is_only_left_out_of_the_list(hub: FakeHub, tmp_path: Path) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(tiny(9))
    result = fireside("models", "import", str(source), "--how", "in_place", "--json")
    assert "Copying" not in result.stderr, "nothing is copied"
    (row,) = only_json(result)["models"]
    assert (row["origin"], row["path"]) == ("opened", str(source))
    removed = fireside("models", "remove", "mine.gguf")
    assert (removed.returncode, shows(OFF_LIST, removed.stdout)) == (0, True)
    assert source.exists()
    assert str(source) not in fireside("models", "list").stdout


@pytest.mark.parametrize(
    "arguments", [["models"], ["models", "search"], ["models", "download"], ["models", "import", "x", "--how", "throw"]]
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    result = fireside(*arguments)
    assert (result.returncode, result.stdout) == (2, "")


def test_newer_versions_are_listed_and_fetched_beside_the_old_ones(hub: FakeHub, fresh_home: Path) -> None:
    repo, name = "someone/model", "model-Q4_K_M.gguf"
    hub.add(repo, {name: tiny(1)})
    old = Path(only_json(fireside("models", "download", repo, name, "--json"))["path"])
    assert only_json(fireside("models", "updates", "--json")) == {"updates": []}
    newer = hub.add(repo, {name: tiny(2, 50_000)}, commit="d" * 40)
    newer.changed_at[name] = "2026-11-20T08:00:00.000Z"
    (found,) = only_json(fireside("models", "updates", name, "--json"))["updates"]
    assert (found["path"], found["changed"], found["commit"]) == (str(old), "2026-11-20", "d" * 40)
    assert found["new_size_bytes"] - found["size_bytes"] == 10_000
    assert "2026-11-20" in fireside("models", "updates").stdout
    new = Path(only_json(fireside("models", "download", repo, name, "--json"))["path"])
    assert (old.read_bytes(), new.read_bytes()) == (tiny(1), tiny(2, 50_000))
    assert only_json(fireside("models", "updates", "--json")) == {"updates": []}
