"""What lies in the models folder, and whether a file of the Hub is on this disk already."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import pytest

from app.core.events import CancelToken
from app.hub.files import RemoteFile
from app.hub.library import InstalledModel, describe, display_name, find_copy, scan, walk
from tests.helpers.gguf_files import vocabulary_only
from tests.helpers.models_on_disk import as_nobody, in_hub_cache, model_bytes, write_model, write_sidecar

SPLIT = "big-Q8_0-0000{number}-of-00003.gguf"


def paths(folder: Path) -> set[str]:
    return {model.path.relative_to(folder).as_posix() for model in scan(folder)}


def test_a_downloaded_model_says_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "ggml-org" / "gemma-3-1b-it-GGUF" / "gemma-3-1b-it-Q4_K_M.gguf"
    data = write_model(path)
    write_sidecar(path, repo="ggml-org/gemma-3-1b-it-GGUF", commit="abc", sha256="f" * 64, size_bytes=len(data))
    assert scan(tmp_path) == [
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
    (model,) = scan(tmp_path)
    assert (model.origin, model.repo, model.sha256) == ("added", "", "")


def test_parts_are_one_model_and_missing_parts_are_named(tmp_path: Path) -> None:
    names = [SPLIT.format(number=number) for number in (1, 2, 3)]
    sizes = [len(write_model(tmp_path / "a" / "b" / name)) for name in names]
    (model,) = scan(tmp_path)
    assert [part.name for part in model.parts] == names
    assert (model.size_bytes, model.missing, model.name) == (sum(sizes), (), "big")
    (tmp_path / "a" / "b" / names[1]).unlink()
    (model,) = scan(tmp_path)
    assert (model.missing, len(model.parts)) == ((names[1],), 2)


def test_a_vision_file_belongs_to_the_models_of_its_repository(tmp_path: Path) -> None:
    eye = tmp_path / "org" / "repo" / "mmproj-model-f16.gguf"
    write_model(eye, **{"general.architecture": "clip"})
    write_model(tmp_path / "org" / "repo" / "see-Q4_0.gguf")
    write_model(tmp_path / "org" / "repo" / "Q8_0" / "see-Q8_0.gguf")
    write_model(tmp_path / "org" / "blind" / "blind-Q8_0.gguf")
    assert {model.path.name: model.vision_path for model in scan(tmp_path)} == {
        "see-Q4_0.gguf": eye,
        "see-Q8_0.gguf": eye,
        "blind-Q8_0.gguf": None,
    }


@pytest.mark.parametrize(
    ("eye", "is_taken"),
    [
        ("mmproj-gemma-3-4b-it-f16.gguf", True),
        ("gemma-3-4b-it-mmproj-f16.gguf", True),
        ("mmproj-model-f16.gguf", False),
        ("mmproj-other-7b-f16.gguf", False),
    ],
)
def test_without_a_repository_only_a_shared_name_pairs(tmp_path: Path, eye: str, is_taken: bool) -> None:
    write_model(tmp_path / "gemma-3-4b-it-Q4_K_M.gguf")
    write_model(tmp_path / eye)
    (model,) = scan(tmp_path)
    assert (model.vision_path == tmp_path / eye) is is_taken
    described = describe(model.path, "opened")
    assert described is not None and described.vision_path == model.vision_path


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
    assert len(scan(tmp_path)) == 1
    assert [file.path.name for file in walk(tmp_path)] == ["twice.gguf", "a.gguf"]


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
    assert scan(tmp_path / "none") == []
    assert describe(tmp_path / "none.gguf", "opened") is None
    assert describe(Path("a\0b.gguf"), "opened") is None


def test_one_file_is_described_with_its_parts(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_model(tmp_path / SPLIT.format(number=number))
    write_model(tmp_path / "other.gguf")
    model = describe(tmp_path / SPLIT.format(number=2), "opened")
    assert model is not None
    assert (len(model.parts), model.path.name, model.origin) == (3, SPLIT.format(number=1), "opened")
    assert not model.is_ours


def test_the_real_starter_is_a_model(starter: Path) -> None:
    model = describe(starter, "starter")
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
    known, models = Known(), scan(tmp_path)
    assert known.find(remote(data), models, CancelToken()) == tmp_path / "same.gguf"
    assert set(known.by_path) == {tmp_path / "other.gguf", tmp_path / "same.gguf"}
    (tmp_path / "same.gguf").write_bytes(bytes(len(data)))
    assert known.find(remote(data), models, CancelToken()) == tmp_path / "same.gguf"  # as the cache says
    known.by_path.clear()
    assert known.find(remote(data), models, CancelToken()) is None


def test_a_variant_with_one_changed_byte_is_not_the_same(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.gguf")
    changed = data[:-1] + b"\1"
    assert Known().find(remote(changed), scan(tmp_path), CancelToken()) is None


def test_the_cache_of_the_hub_says_the_sha256_by_name(tmp_path: Path) -> None:
    link, sha = in_hub_cache(tmp_path, "org/repo", "a.gguf")
    model = describe(link, "hub_cache")
    assert model is not None
    known = Known()
    assert known.find(RemoteFile("a.gguf", model.size_bytes, sha), [model], CancelToken()) == link
    assert known.by_path == {}


def test_no_sha256_no_copy_and_a_cancel_ends_the_reading(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.gguf")
    assert Known().find(RemoteFile("a.gguf", len(data)), scan(tmp_path), CancelToken()) is None
    cancel, known = CancelToken(), Known()
    cancel.cancel()
    assert known.find(remote(data), scan(tmp_path), cancel) is None
    assert known.by_path == {}


def test_a_candidate_that_vanished_is_passed_over(tmp_path: Path) -> None:
    data = write_model(tmp_path / "a.gguf")
    models = scan(tmp_path)
    (tmp_path / "a.gguf").unlink()
    assert Known().find(remote(data), models, CancelToken()) is None


def test_all_parts_and_the_vision_file_count(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_model(tmp_path / "o" / "r" / SPLIT.format(number=number))
    eye = write_model(tmp_path / "o" / "r" / "mmproj-f16.gguf")
    second = model_bytes(SPLIT.format(number=2))
    known = Known()
    found = known.find(remote(second), scan(tmp_path), CancelToken())
    assert found is not None and found.name == SPLIT.format(number=2)
    assert known.find(remote(eye), scan(tmp_path), CancelToken()) == tmp_path / "o" / "r" / "mmproj-f16.gguf"
