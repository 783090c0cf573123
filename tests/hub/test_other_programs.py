"""Models of other programs are found where each keeps them, on each system, and never changed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.hub.library import InstalledModel
from app.hub.other_programs import places, scan_others
from tests.helpers.models_on_disk import (
    in_hub_cache,
    in_jan,
    in_ollama,
    layer,
    model_bytes,
    write_manifest,
    write_model,
)

SYSTEMS = ("linux", "darwin", "win32")


def found(home: Path, platform: str = "linux", **environment: str) -> list[InstalledModel]:
    # else Linux looks into the folder of Ollama's service, too, which a test cannot move
    return list(scan_others({"OLLAMA_MODELS": str(home / ".ollama" / "models"), **environment}, home, platform))


def folders(environment: Mapping[str, str], home: Path, platform: str) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for place in places(environment, home, platform):
        listed.setdefault(f"{place.origin}/{place.layout}", []).append(place.folder.as_posix())
    return listed


def test_the_usual_folders_on_linux() -> None:
    assert folders({}, Path("/home/p"), "linux") == {
        "hub_cache/hub": ["/home/p/.cache/huggingface/hub"],
        "llama_cpp/hub": ["/home/p/.cache/llama.cpp"],
        "llama_cpp/flat": ["/home/p/.cache/llama.cpp"],
        "lm_studio/publisher": ["/home/p/.lmstudio/models"],
        "ollama/ollama": ["/home/p/.ollama/models", "/usr/share/ollama/.ollama/models"],
        "gpt4all/flat": ["/home/p/.local/share/nomic.ai/GPT4All"],
        "jan/jan": ["/home/p/.local/share/Jan/data"],
    }


def test_the_usual_folders_on_macos() -> None:
    assert folders({}, Path("/Users/p"), "darwin") == {
        "hub_cache/hub": ["/Users/p/.cache/huggingface/hub"],
        "llama_cpp/hub": ["/Users/p/Library/Caches/llama.cpp"],
        "llama_cpp/flat": ["/Users/p/Library/Caches/llama.cpp"],
        "lm_studio/publisher": ["/Users/p/.lmstudio/models"],
        "ollama/ollama": ["/Users/p/.ollama/models"],
        "gpt4all/flat": ["/Users/p/Library/Application Support/nomic.ai/GPT4All"],
        "jan/jan": ["/Users/p/Library/Application Support/Jan/data"],
    }


@pytest.mark.parametrize("environment", [{}, {"LOCALAPPDATA": "/p/AppData/Local", "APPDATA": "/p/AppData/Roaming"}])
def test_the_usual_folders_on_windows(environment: dict[str, str]) -> None:
    assert folders(environment, Path("/p"), "win32") == {
        "hub_cache/hub": ["/p/.cache/huggingface/hub"],
        "llama_cpp/hub": ["/p/AppData/Local/llama.cpp"],
        "llama_cpp/flat": ["/p/AppData/Local/llama.cpp"],
        "lm_studio/publisher": ["/p/.lmstudio/models"],
        "ollama/ollama": ["/p/.ollama/models"],
        "gpt4all/flat": ["/p/AppData/Local/nomic.ai/GPT4All"],
        "jan/jan": ["/p/AppData/Roaming/Jan/data"],
    }


@pytest.mark.parametrize("platform", SYSTEMS)
@pytest.mark.parametrize(
    ("environment", "key", "expected"),
    [
        ({"HF_HUB_CACHE": "/x", "HF_HOME": "/y"}, "hub_cache/hub", "/x"),
        ({"HF_HOME": "/y", "XDG_CACHE_HOME": "/z"}, "hub_cache/hub", "/y/hub"),
        ({"XDG_CACHE_HOME": "/z"}, "hub_cache/hub", "/z/huggingface/hub"),
        ({"HF_HOME": "~/hf"}, "hub_cache/hub", "/p/hf/hub"),
        ({"HF_HOME": ""}, "hub_cache/hub", "/p/.cache/huggingface/hub"),
        ({"HF_HUB_CACHE": "not/absolute"}, "hub_cache/hub", "/p/.cache/huggingface/hub"),
        ({"LLAMA_CACHE": "/l"}, "llama_cpp/flat", "/l"),
        ({"LLAMA_CACHE": "/l"}, "llama_cpp/hub", "/l"),
        ({"OLLAMA_MODELS": "/o"}, "ollama/ollama", "/o"),
        ({"JAN_DATA_FOLDER": "/j"}, "jan/jan", "/j"),
    ],
)
def test_the_environment_comes_first(platform: str, environment: dict[str, str], key: str, expected: str) -> None:
    assert folders(environment, Path("/p"), platform)[key] == [expected]


def test_lm_studio_follows_its_pointer_then_its_old_home(tmp_path: Path) -> None:
    def home() -> str:
        return folders({}, tmp_path, "linux")["lm_studio/publisher"][0]

    (tmp_path / ".cache" / "lm-studio").mkdir(parents=True)
    assert home() == (tmp_path / ".cache" / "lm-studio" / "models").as_posix()
    pointer = tmp_path / ".lmstudio-home-pointer"
    pointer.write_text(f"{tmp_path}/elsewhere\n", "utf-8")
    assert home() == (tmp_path / "elsewhere" / "models").as_posix()
    for damaged in (b"", b"\xff\xfe", b"relative", b"/a\0b"):
        pointer.write_bytes(damaged)
        found(tmp_path)
    pointer.unlink()
    pointer.mkdir()
    assert home() == (tmp_path / ".cache" / "lm-studio" / "models").as_posix()


def test_the_cache_of_the_hub_names_repository_commit_and_sha256(tmp_path: Path) -> None:
    link, sha = in_hub_cache(tmp_path / "hub", "ggml-org/some-model--GGUF", "Q8_0/m-Q8_0.gguf", "a" * 40)
    (model,) = found(tmp_path, HF_HOME=str(tmp_path))
    assert (model.path, model.origin, model.sha256, model.commit) == (link, "hub_cache", sha, "a" * 40)
    assert (model.repo.partition("/")[0], model.tag, model.is_ours) == ("ggml-org", "Q8_0", False)


def test_a_blob_of_two_snapshots_is_one_model_of_the_newer(tmp_path: Path) -> None:
    for age, commit in enumerate(("old", "new")):
        link, _ = in_hub_cache(tmp_path, "o/r", "m.gguf", commit)
        os.utime(link.parent, (1000 + age, 1000 + age))
    (model,) = found(tmp_path, HF_HUB_CACHE=str(tmp_path))
    assert model.commit == "new"


def test_llama_cpp_keeps_flat_files_and_a_cache_of_the_hub_in_one_folder(tmp_path: Path) -> None:
    write_model(tmp_path / "org_repo_tiny-Q4_0.gguf")
    write_model(tmp_path / "sub" / "not-flat.gguf")
    write_model(tmp_path / "unfinished.gguf.downloadInProgress")
    in_hub_cache(tmp_path, "o/r", "m.gguf")
    models = found(tmp_path / "home", LLAMA_CACHE=str(tmp_path))
    assert {(model.path.name, model.origin, model.repo) for model in models} == {
        ("org_repo_tiny-Q4_0.gguf", "llama_cpp", ""),
        ("m.gguf", "llama_cpp", "o/r"),
    }


@pytest.mark.parametrize("platform", SYSTEMS)
def test_every_program_is_found_on_every_system(tmp_path: Path, platform: str) -> None:
    data = {"linux": ".local/share", "darwin": "Library/Application Support", "win32": "AppData/Roaming"}[platform]
    local = {"linux": ".cache", "darwin": "Library/Caches", "win32": "AppData/Local"}[platform]
    nomic = "AppData/Local" if platform == "win32" else data
    in_hub_cache(tmp_path / ".cache" / "huggingface" / "hub", "o/r", "hub.gguf")
    write_model(tmp_path / local / "llama.cpp" / "llama.gguf")
    write_model(tmp_path / ".lmstudio" / "models" / "pub" / "mod" / "studio.gguf")
    in_ollama(tmp_path / ".ollama" / "models", "library/olla")
    write_model(tmp_path / nomic / "nomic.ai" / "GPT4All" / "all.gguf")
    in_jan(tmp_path / data / "Jan" / "data", "jan-model")
    models = found(tmp_path, platform)
    assert {(model.origin, model.name) for model in models} == {
        ("hub_cache", "hub"),
        ("llama_cpp", "llama"),
        ("lm_studio", "studio"),
        ("ollama", "olla:latest"),
        ("gpt4all", "all"),
        ("jan", "jan model"),
    }
    assert not any(model.is_ours for model in models)


def test_lm_studio_pairs_vision_files_and_joins_parts(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio" / "models" / "pub" / "mod"
    for number in (1, 2):
        write_model(folder / f"m-Q4_0-0000{number}-of-00002.gguf")
    write_model(folder / "mmproj-f16.gguf")
    write_model(folder / "half-Q4_0-00001-of-00002.gguf")
    (model,) = found(tmp_path)
    assert (len(model.parts), model.repo, model.vision_path) == (2, "pub/mod", folder / "mmproj-f16.gguf")


def test_ollama_names_are_as_a_person_types_them(tmp_path: Path) -> None:
    blob = in_ollama(tmp_path, "library/llama3.2", "1b")
    in_ollama(tmp_path, "somebody/model", "q4")
    in_ollama(tmp_path, "bartowski/Tiny-GGUF", "Q4_K_M", registry="hf.co")
    models = {model.name: model for model in found(tmp_path, OLLAMA_MODELS=str(tmp_path))}
    assert set(models) == {"llama3.2:1b", "somebody/model:q4", "bartowski/Tiny-GGUF:Q4_K_M"}
    assert models["llama3.2:1b"].path == blob
    assert models["llama3.2:1b"].sha256 == blob.name.removeprefix("sha256-")
    assert models["bartowski/Tiny-GGUF:Q4_K_M"].repo == "bartowski/Tiny-GGUF"
    assert models["bartowski/Tiny-GGUF:Q4_K_M"].tag == "Q4_K_M"


def test_two_tags_of_one_blob_are_one_model_and_a_projector_is_its_vision_file(tmp_path: Path) -> None:
    blob = in_ollama(tmp_path, "library/see", "a")
    eye = in_ollama(tmp_path, "library/other", "b")
    manifests = tmp_path / "manifests" / "registry.ollama.ai" / "library"
    (manifests / "other" / "b").unlink()
    write_manifest(manifests / "see" / "a", {"layers": [layer("projector", eye), layer("model", blob)]})
    write_manifest(manifests / "see" / "latest", {"layers": [layer("model", blob)]})
    (model,) = found(tmp_path, OLLAMA_MODELS=str(tmp_path))
    assert (model.path, model.vision_path) == (blob, eye)


HOSTILE = [
    "",
    "{",
    "[]",
    "null",
    "7",
    "[" * 50_000,
    {"layers": None},
    {"layers": "model"},
    {"layers": {"a": 1}},
    {"layers": [None, 7, "x", [], {}]},
    {"layers": [{"mediaType": 1, "digest": 2}]},
    {"layers": [{"mediaType": "application/vnd.ollama.image.model"}]},
    *(
        {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": digest}]}
        for digest in (
            "sha256:../../../outside.gguf",
            "sha256-" + "0" * 64,
            "/outside.gguf",
            "sha256:" + "0" * 64,
            "sha256:" + "0" * 63 + "/",
            "sha256:" + "0" * 64 + "\n",
        )
    ),
]


@pytest.mark.parametrize("manifest", HOSTILE, ids=range(len(HOSTILE)))
def test_a_damaged_or_hostile_manifest_is_skipped_and_the_others_are_read(tmp_path: Path, manifest: object) -> None:
    models = tmp_path / "models"
    write_model(tmp_path / "outside.gguf")
    in_ollama(models, "library/good")
    write_manifest(models / "manifests" / "registry.ollama.ai" / "library" / "bad" / "latest", manifest)
    assert [model.name for model in found(tmp_path, OLLAMA_MODELS=str(models))] == ["good:latest"]


def test_a_blob_that_is_no_model_is_skipped(tmp_path: Path) -> None:
    blob = in_ollama(tmp_path, "library/bad")
    blob.write_bytes(b"<html>" + bytes(100))
    assert found(tmp_path, OLLAMA_MODELS=str(tmp_path)) == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("model_path: {inside}", True),
        ("model_path: '{inside}'", True),
        ('model_path: "{inside}"', True),
        ("model_path: {inside} # here", True),
        ("model_path: {outside}", True),
        ("model_path: ../outside.gguf", False),
        ("model_path: llamacpp/../../outside.gguf", False),
        ("model_path: nowhere.gguf", False),
        ('model_path: "{inside}', False),
        ("model_path: [1, 2]", False),
        ("  model_path: {inside}", False),
        ("model_path:", False),
        ("\0\xff", False),
    ],
)
def test_jan_says_where_a_model_lies(tmp_path: Path, line: str, is_found: bool) -> None:
    data = tmp_path / "data"
    in_jan(data, "unsloth/Tiny-Q4_0")
    write_model(tmp_path / "outside.gguf")
    inside = "llamacpp/models/unsloth/Tiny-Q4_0/model.gguf"
    text = line.format(inside=inside, outside=tmp_path / "outside.gguf")
    (data / inside).with_name("model.yml").write_text(f"name: Tiny\n{text}\nsize_bytes: 7\n", "utf-8")
    models = found(tmp_path, JAN_DATA_FOLDER=str(data))
    assert [(model.name, model.tag) for model in models] == ([("Tiny", "Q4_0")] if is_found else [])


def test_the_same_file_by_two_ways_is_one_model(tmp_path: Path) -> None:
    path = tmp_path / ".lmstudio" / "models" / "pub" / "mod" / "m.gguf"
    write_model(path)
    flat = tmp_path / ".local" / "share" / "nomic.ai" / "GPT4All"
    flat.mkdir(parents=True)
    (flat / "linked.gguf").symlink_to(path)
    (flat / "hard.gguf").hardlink_to(path)
    assert [model.path for model in found(tmp_path)] == [path]


def test_circles_of_links_and_links_out_to_everything_end(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio" / "models" / "pub" / "mod"
    write_model(folder / "m.gguf")
    (folder / "up").symlink_to(tmp_path)
    (folder / "self").symlink_to(folder / "self")
    (tmp_path / ".lmstudio" / "models" / "loop").symlink_to(tmp_path / ".lmstudio" / "models")
    assert [model.path.name for model in found(tmp_path)] == ["m.gguf"]


def test_nothing_is_changed_and_nothing_but_the_start_is_read(tmp_path: Path) -> None:
    in_ollama(tmp_path / ".ollama" / "models", "library/olla")
    in_hub_cache(tmp_path / ".cache" / "huggingface" / "hub", "o/r", "hub.gguf")
    huge = tmp_path / ".lmstudio" / "models" / "pub" / "mod" / "huge.gguf"
    write_model(huge)
    with huge.open("r+b") as file:
        file.truncate(8 * 1024**3)  # sparse
    before = state_of(tmp_path)
    began_s = time.monotonic()
    assert len(found(tmp_path)) == 3
    assert time.monotonic() - began_s < 1
    assert state_of(tmp_path) == before


def state_of(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {
        str(path): (status.st_mtime_ns, status.st_size, status.st_mode)
        for path in folder.rglob("*")
        for status in (path.lstat(),)
    }


def test_a_file_that_vanishes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio" / "models" / "pub" / "mod"
    for number in range(5):
        write_model(folder / f"m{number}.gguf")
    models = scan_others({}, tmp_path, "darwin")
    assert next(models).path.name == "m0.gguf"
    for path in folder.iterdir():
        path.unlink()
    assert list(models) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
def test_a_home_that_is_empty_or_missing_has_none(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    assert found(tmp_path / "nobody") == []
    assert model_bytes("a") != model_bytes("b")
