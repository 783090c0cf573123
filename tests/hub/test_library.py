"""What lies in the models folder, and whether a file of the Hub is on this disk already."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from app.core.events import CancelToken
from app.hub.model_files import RemoteFile
from app.hub.model_library import (
    InstalledModel,
    describe_model,
    display_name,
    find_copy,
    find_projector,
    known_folders,
    projector_abilities,
    scan_folder,
    scan_others,
    walk_files,
)
from tests.helpers.gguf_files import header, padded, vocabulary_only
from tests.helpers.models_on_disk import (
    as_nobody,
    in_hub_cache,
    in_jan,
    in_ollama,
    layer,
    model_bytes,
    write_manifest,
    write_model,
    write_sidecar,
)

SPLIT = "big-Q8_0-0000{number}-of-00003.gguf"


def paths(folder: Path) -> set[str]:
    return {model.path.relative_to(folder).as_posix() for model in scan_folder(folder)}


def test_a_downloaded_model_says_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "ggml-org" / "gemma-3-1b-it-GGUF" / "gemma-3-1b-it-Q4_K_M.gguf"
    data = write_model(path)
    write_sidecar(path, repo="ggml-org/gemma-3-1b-it-GGUF", commit="abc", sha256="f" * 64, size_bytes=len(data))
    assert scan_folder(tmp_path) == [
        InstalledModel(
            path,
            "gemma 3 1b it",
            len(data),
            "downloaded",
            (path,),
            repo="ggml-org/gemma-3-1b-it-GGUF",
            commit="abc",
            sha256="f" * 64,
            tag="Q4_K_M",
            architecture="llama",
            is_ours=True,
        )
    ]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"repo": 7}', "[" * 100_000, "\0"])
def test_a_damaged_sidecar_makes_it_an_added_model(tmp_path: Path, text: str) -> None:
    write_model(tmp_path / "mine.gguf")
    (tmp_path / "mine.gguf.json").write_text(text, "utf-8")
    (model,) = scan_folder(tmp_path)
    assert (model.origin, model.repo, model.sha256) == ("added", "", "")


def test_parts_are_one_model_and_missing_parts_are_named(tmp_path: Path) -> None:
    names = [SPLIT.format(number=number) for number in (1, 2, 3)]
    sizes = [len(write_model(tmp_path / "a" / "b" / name)) for name in names]
    (model,) = scan_folder(tmp_path)
    assert [part.name for part in model.parts] == names
    assert (model.size_bytes, model.missing, model.name) == (sum(sizes), (), "big")
    (tmp_path / "a" / "b" / names[1]).unlink()
    (model,) = scan_folder(tmp_path)
    assert (model.missing, len(model.parts)) == ((names[1],), 2)


@pytest.mark.parametrize(
    ("facts", "senses"),
    [
        ({"clip.has_vision_encoder": True, "clip.projector_type": "pixtral"}, (True, False)),
        ({"clip.has_vision_encoder": True, "clip.has_audio_encoder": True}, (True, True)),
        ({"clip.has_audio_encoder": True, "clip.projector_type": "voxtral"}, (False, True)),
        ({"clip.projector_type": "mlp"}, (True, False)),
        (
            {
                "clip.has_vision_encoder": True,
                "clip.has_audio_encoder": True,
                "clip.vision.projector_type": "gemma3nv",
                "clip.audio.projector_type": "gemma3na",
            },
            (True, False),
        ),
        ({"clip.has_audio_encoder": True, "clip.audio.projector_type": "qwen3tts_spkenc"}, (False, False)),
    ],
    ids=["sees", "both", "hears", "old", "Gemma 3n", "a voice"],
)
def test_what_a_model_senses_is_said_by_the_header(
    tmp_path: Path, facts: dict[str, object], senses: tuple[bool, bool]
) -> None:
    write_model(tmp_path / "mmproj.gguf", **{"general.architecture": "clip"} | facts)
    assert projector_abilities(tmp_path / "mmproj.gguf") == senses


def test_a_vision_file_belongs_to_the_models_of_its_repository(tmp_path: Path) -> None:
    eye = tmp_path / "org" / "repo" / "mmproj-model-f16.gguf"
    write_model(eye, **{"general.architecture": "clip"})
    write_model(tmp_path / "org" / "repo" / "see-Q4_0.gguf")
    write_model(tmp_path / "org" / "repo" / "Q8_0" / "see-Q8_0.gguf")
    write_model(tmp_path / "org" / "blind" / "blind-Q8_0.gguf")
    assert {model.path.name: model.vision_path for model in scan_folder(tmp_path)} == {
        "see-Q4_0.gguf": eye,
        "see-Q8_0.gguf": eye,
        "blind-Q8_0.gguf": None,
    }


@pytest.mark.parametrize(
    ("eye", "is_taken"),
    [
        ("mmproj-gemma-3-4b-it-f16.gguf", True),
        ("gemma-3-4b-it-mmproj-f16.gguf", True),
        ("gemma-3-4b_it-mmproj.gguf", True),
        ("mmproj-model-f16.gguf", True),
        ("mmproj-other-7b-f16.gguf", False),
    ],
)
def test_without_a_repository_only_a_shared_name_pairs(tmp_path: Path, eye: str, is_taken: bool) -> None:
    write_model(tmp_path / "gemma-3-4b-it-Q4_K_M.gguf")
    write_model(tmp_path / eye)
    (model,) = scan_folder(tmp_path)
    assert (model.vision_path == tmp_path / eye) is is_taken
    described = describe_model(model.path, "opened")
    assert described is not None and described.vision_path == model.vision_path


def test_an_eye_without_a_name_is_nobodys_where_there_are_two_models(tmp_path: Path) -> None:
    write_model(tmp_path / "gemma-3-4b-it-Q4_K_M.gguf")
    write_model(tmp_path / "other-7b-Q4_K_M.gguf")
    write_model(tmp_path / "mmproj-f16.gguf")
    assert [model.vision_path for model in scan_folder(tmp_path)] == [None, None]
    assert find_projector(tmp_path / "gemma-3-4b-it-Q4_K_M.gguf") is None


@pytest.mark.parametrize(
    ("facts", "senses"),
    [
        ({"clip.has_vision_encoder": True}, (True, False)),
        ({"clip.has_vision_encoder": True, "clip.has_audio_encoder": True}, (True, True)),
        ({"clip.has_audio_encoder": True}, (False, True)),
        ({}, (True, False)),
    ],
)
def test_what_a_model_can_do_is_said_by_the_file_beside_it(
    tmp_path: Path, facts: dict[str, bool], senses: tuple[bool, bool]
) -> None:
    write_model(tmp_path / "see-Q4_K_M.gguf")
    eye = tmp_path / "mmproj-f16.gguf"
    eye.write_bytes(padded(header({"general.architecture": "clip", **facts})))
    assert find_projector(tmp_path / "see-Q4_K_M.gguf") == eye
    (model,) = scan_folder(tmp_path)
    assert (model.sees, model.hears) == senses


def test_what_is_no_model_is_left_out(tmp_path: Path) -> None:
    good = write_model(tmp_path / "good.gguf")
    for name in (
        "a.gguf.part",
        "b.gguf.incomplete",
        "c.gguf.downloadInProgress",
        "imatrix.gguf",
        ".hidden.gguf",
        "._x.gguf",
        "d.txt",
        ".trash/1/e.gguf",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(good)
    (tmp_path / "words.gguf").write_bytes(vocabulary_only())
    (tmp_path / "noise.gguf").write_bytes(b"GGML" + bytes(100))
    (tmp_path / "empty.gguf").touch()
    (tmp_path / "folder.gguf").mkdir()
    write_model(tmp_path / "eye.gguf", **{"general.architecture": "clip"})
    write_model(tmp_path / "weights.gguf", **{"general.type": "imatrix"})
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.gguf")
    assert paths(tmp_path) == {"good.gguf"}


def test_a_name_that_the_hub_would_not_take_is_fine_here(tmp_path: Path) -> None:
    write_model(tmp_path / "what is this? (final).gguf")
    assert paths(tmp_path) == {"what is this? (final).gguf"}


def test_links_in_circles_and_links_to_nothing_are_passed_over(tmp_path: Path) -> None:
    write_model(tmp_path / "org" / "repo" / "a.gguf")
    (tmp_path / "org" / "again").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "gone.gguf").symlink_to(tmp_path / "nothing")
    (tmp_path / "twice.gguf").symlink_to(tmp_path / "org" / "repo" / "a.gguf")
    assert len(scan_folder(tmp_path)) == 1
    assert [file.path.name for file in walk_files(tmp_path)] == ["twice.gguf", "a.gguf"]


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")
def test_what_may_not_be_read_is_passed_over() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_model(folder / "good.gguf")
        write_model(folder / "secret.gguf")
        write_model(folder / "closed" / "a.gguf")
        (folder / "secret.gguf").chmod(0)
        (folder / "closed").chmod(0)
        with as_nobody():
            assert paths(folder) == {"good.gguf"}
        (folder / "closed").chmod(0o755)
        assert paths(folder) == {"good.gguf", "secret.gguf", "closed/a.gguf"}


def test_no_folder_has_no_models(tmp_path: Path) -> None:
    assert scan_folder(tmp_path / "none") == []
    assert describe_model(tmp_path / "none.gguf", "opened") is None
    assert describe_model(Path("a\0b.gguf"), "opened") is None


def test_one_file_is_described_with_its_parts(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_model(tmp_path / SPLIT.format(number=number))
    write_model(tmp_path / "other.gguf")
    model = describe_model(tmp_path / SPLIT.format(number=2), "opened")
    assert model is not None
    assert (len(model.parts), model.path.name, model.origin) == (3, SPLIT.format(number=1), "opened")
    assert not model.is_ours


def test_the_real_starter_is_a_model(starter: Path) -> None:
    model = describe_model(starter, "starter")
    assert model is not None
    assert (model.size_bytes, model.architecture) == (starter.stat().st_size, "llama")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("gemma-3-1b-it-Q4_K_M.gguf", "gemma 3 1b it"),
        ("big_model-IQ2_XXS-00001-of-00004.gguf", "big model"),
        ("Q4_0.gguf", "Q4 0"),
    ],
)
def test_a_name_to_show(name: str, shown: str) -> None:
    assert display_name(Path(name)) == shown


class Known:
    """The cache of hashes, as the store keeps it."""

    def __init__(self) -> None:
        self.by_path: dict[Path, str] = {}

    def known(self, path: Path) -> str:
        return self.by_path.get(path, "")

    def remember(self, path: Path, sha: str) -> None:
        self.by_path[path] = sha

    def find(self, file: RemoteFile, candidates: list[InstalledModel], cancel: CancelToken) -> Path | None:
        return find_copy(file, candidates, self.known, self.remember, cancel)


def remote(data: bytes) -> RemoteFile:
    return RemoteFile("x.gguf", len(data), hashlib.sha256(data).hexdigest())


def test_a_copy_is_found_by_its_content_and_read_only_once(tmp_path: Path) -> None:
    write_model(tmp_path / "other.gguf", "same length 1")
    data = write_model(tmp_path / "same.gguf", "same length 2")
    write_model(tmp_path / "longer.gguf", weights=128)
    known, models = Known(), scan_folder(tmp_path)
    assert known.find(remote(data), models, CancelToken()) == tmp_path / "same.gguf"
    assert set(known.by_path) == {tmp_path / "other.gguf", tmp_path / "same.gguf"}
    (tmp_path / "same.gguf").write_bytes(bytes(len(data)))
    assert known.find(remote(data), models, CancelToken()) == tmp_path / "same.gguf"  # as the cache says
    known.by_path.clear()
    assert known.find(remote(data), models, CancelToken()) is None


def test_a_variant_with_one_changed_byte_is_not_the_same(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.gguf")
    changed = data[:-1] + b"\1"
    assert Known().find(remote(changed), scan_folder(tmp_path), CancelToken()) is None


def test_the_cache_of_the_hub_says_the_sha256_by_name(tmp_path: Path) -> None:
    link, sha = in_hub_cache(tmp_path, "org/repo", "a.gguf")
    model = describe_model(link, "hub_cache")
    assert model is not None
    known = Known()
    assert known.find(RemoteFile("a.gguf", model.size_bytes, sha), [model], CancelToken()) == link
    assert known.by_path == {}


def test_no_sha256_no_copy_and_a_cancel_ends_the_reading(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.gguf")
    assert Known().find(RemoteFile("a.gguf", len(data)), scan_folder(tmp_path), CancelToken()) is None
    cancel, known = CancelToken(), Known()
    cancel.cancel()
    assert known.find(remote(data), scan_folder(tmp_path), cancel) is None
    assert known.by_path == {}


def test_a_candidate_that_vanished_is_passed_over(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.gguf")
    models = scan_folder(tmp_path)
    (tmp_path / "a.gguf").unlink()
    assert Known().find(remote(data), models, CancelToken()) is None


def test_all_parts_and_the_vision_file_count(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_model(tmp_path / "o" / "r" / SPLIT.format(number=number))
    eye = write_model(tmp_path / "o" / "r" / "mmproj-f16.gguf")
    second = model_bytes(SPLIT.format(number=2))
    known = Known()
    found = known.find(remote(second), scan_folder(tmp_path), CancelToken())
    assert found is not None and found.name == SPLIT.format(number=2)
    assert known.find(remote(eye), scan_folder(tmp_path), CancelToken()) == tmp_path / "o" / "r" / "mmproj-f16.gguf"


# Models of other programs are found where each keeps them, on each system, and never changed.


SYSTEMS = ("linux", "darwin", "win32")


def found(home: Path, platform: str = "linux", **environment: str) -> list[InstalledModel]:
    # else Linux looks into the folder of Ollama's service, too, which a test cannot move
    return list(scan_others({"OLLAMA_MODELS": str(home / ".ollama" / "models"), **environment}, home, platform))


def folders(environment: Mapping[str, str], home: Path, platform: str) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for place in known_folders(environment, home, platform):
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


def test_two_tags_of_one_blob_are_one_model_and_a_projector_is_its_vision_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = in_ollama(tmp_path, "library/see", "a")
    eye = in_ollama(tmp_path, "library/other", "b")
    manifests = tmp_path / "manifests" / "registry.ollama.ai" / "library"
    (manifests / "other" / "b").unlink()
    write_manifest(manifests / "see" / "a", {"layers": [layer("projector", eye), layer("model", blob)]})
    write_manifest(manifests / "see" / "latest", {"layers": [layer("model", blob)]})
    (model,) = found(tmp_path, OLLAMA_MODELS=str(tmp_path))
    assert (model.path, model.vision_path) == (blob, eye)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    assert find_projector(blob) == eye


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
    before_bytes = bytes_read()
    assert len(found(tmp_path)) == 3
    assert bytes_read() - before_bytes < 10_000_000
    assert state_of(tmp_path) == before


def bytes_read() -> int:
    """By this process so far, where the system counts them."""
    return psutil.Process().io_counters().read_chars if sys.platform == "linux" else 0


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
