"""A llama.cpp of the person's own: found, tried before it is used, and run in place of the program's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors.engine_errors import EngineStopped, OwnLibraryRefused
from app.core.errors.model_errors import ProjectorRefused
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.core.settings import load_settings, save_settings
from app.engine.child_keeper import CRASHES_IN_A_ROW
from app.engine.client import EngineClient
from app.engine.own_library import find_library_folder, try_library
from app.engine.protocol import Ask, Sampling
from app.features.error_messages import sentence_for
from tests.helpers.engine import answer_of, load, user
from tests.helpers.own_library import compile_over, copy_library, empty_library
from tests.helpers.tiny_eyes import make_eye

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="libraries are compiled here"),
]
GROWN = """
#include <string.h>
struct grown { char bytes[176]; };
struct grown llama_context_default_params(void) { struct grown made; memset(&made, 0, sizeof made); return made; }
"""
MOVED = """
#include <string.h>
struct moved { char bytes[160]; };
struct moved llama_context_default_params(void) { struct moved made; memset(&made, 0x40, sizeof made); return made; }
"""
BREAKS_OFF = "#include <stdlib.h>\nvoid *{function}(void *first, ...) {{ abort(); }}"
ABORTS = "#include <stdlib.h>\n__attribute__((constructor)) static void begin(void) { abort(); }"


@pytest.fixture
def model(tiny_model: Callable[[str], Path]) -> Path:
    return tiny_model("llama")


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return copy_library(tmp_path)


def reason_of(folder: Path, scratch: Path) -> tuple[str, str]:
    with pytest.raises(OwnLibraryRefused) as refused:
        try_library(find_library_folder(folder), scratch=scratch)
    return refused.value.reason, refused.value.detail


def colour(engine: EngineClient) -> str:
    ask = Ask([user("Name a colour.")], 24, Sampling(temperature=0.0))
    return answer_of(engine.answer(ask, CancelToken()))[0]


def libraries_of(client: EngineClient) -> set[str]:
    lines = Path(f"/proc/{client.pid}/maps").read_text().splitlines()
    return {str(Path(line.split()[-1]).parent) for line in lines if "libllama.so" in line or "libggml" in line}


def test_it_runs_in_place_of_the_programs_own_from_the_next_load_on(
    build: Path, engine: EngineClient, model: Path
) -> None:
    assert find_library_folder(build.parents[1]) == build
    load(engine, model)
    own, first = libraries_of(engine), colour(engine)
    assert engine.loaded is not None and engine.loaded.library == ""
    engine.find_library = lambda: str(build)
    assert engine.is_outdated
    load(engine, model)
    assert not engine.is_outdated
    assert engine.loaded is not None and engine.loaded.library == str(build)
    assert libraries_of(engine) == {str(build)} != own
    assert colour(engine) == first
    described = engine.describe_devices()
    assert (described.library, "CPU" in described.backends) == (str(build), True)
    (build / "libllama.so").unlink()
    engine.find_library = str
    load(engine, model)
    assert libraries_of(engine) == own


def test_its_version_tells_one_build_from_another(build: Path, tmp_path: Path) -> None:
    first = try_library(build, scratch=tmp_path)
    assert first == try_library(build, scratch=tmp_path)
    (build / "libggml-rpc.so").touch()
    assert try_library(build, scratch=tmp_path) != first


@pytest.mark.slow
def test_what_does_not_fit_is_refused_with_the_reason(build: Path, tmp_path: Path) -> None:
    assert reason_of(tmp_path / "nowhere", tmp_path) == ("missing", "")
    compile_over(build, GROWN)
    assert reason_of(build, tmp_path) == ("layout", "llama_context_params")
    compile_over(build, MOVED)
    assert reason_of(build, tmp_path) == ("layout", "llama_context_params")
    compile_over(build, ABORTS)
    assert reason_of(build, tmp_path) == ("crashed", "")
    (build / "libllama.so").write_bytes(b"no library")
    assert reason_of(build, tmp_path)[0] == "unloadable"
    empty_library(build)
    reason, detail = reason_of(build, tmp_path)
    assert reason == "symbol"
    assert detail.startswith("llama_")


def test_one_that_no_longer_fits_is_told_when_a_model_is_loaded(build: Path, engine: EngineClient, model: Path) -> None:
    compile_over(build, GROWN)
    engine.find_library = lambda: str(build)
    with pytest.raises(OwnLibraryRefused):
        load(engine, model)
    engine.find_library = str
    load(engine, model)
    assert engine.loaded is not None


@pytest.mark.parametrize(
    ("source", "loads"),
    [
        (ABORTS, False),
        pytest.param(BREAKS_OFF.format(function="llama_model_load_from_file"), False, marks=pytest.mark.slow),
        (BREAKS_OFF.format(function="llama_decode"), True),
    ],
    ids=["when it is loaded", "over a model", "over an answer"],
)
def test_one_that_crashes_is_named_and_the_programs_own_comes_back(
    build: Path, engine: EngineClient, model: Path, source: str, *, loads: bool
) -> None:
    load(engine, model)
    first = colour(engine)
    compile_over(build, source)
    engine.find_library = lambda: str(build)
    if loads:
        load(engine, model)
        for _ in range(CRASHES_IN_A_ROW):
            with pytest.raises(EngineStopped):
                colour(engine)
    with pytest.raises(OwnLibraryRefused) as refused:
        colour(engine) if loads else load(engine, model)
    assert (refused.value.path, refused.value.reason) == (str(build), "stopped")
    assert "llama.cpp" in sentence_for(refused.value).text
    assert colour(engine) == first
    assert engine.loaded is not None and engine.loaded.library == ""
    assert not engine.is_outdated
    shutil.copy2(build / "libllama.so.0", build / "libllama.so")  # built anew
    assert engine.is_outdated
    load(engine, model)
    assert engine.loaded is not None and engine.loaded.library == str(build)
    assert colour(engine) == first


@pytest.mark.parametrize("spoilt", ["missing", "older"])
def test_one_that_cannot_see_is_told_and_its_model_reads_text(
    build: Path, engine: EngineClient, starter: Path, tmp_path: Path, spoilt: str
) -> None:
    """Who builds llama.cpp without its tools has no libmtmd."""
    for library in build.glob("libmtmd.so*"):
        library.unlink()
    if spoilt == "older":
        subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o", str(build / "libmtmd.so")], check=True)
    eye = make_eye(starter, tmp_path / "mmproj.gguf")
    engine.find_library = lambda: str(build)
    with pytest.raises(ProjectorRefused) as refused:
        load(engine, starter, projector=str(eye))
    assert refused.value.reason == "no_library"
    assert "libmtmd" in sentence_for(refused.value).text
    engine.find_projector = lambda _: eye
    load(engine, starter)
    assert engine.loaded is not None
    assert (engine.loaded.library, engine.loaded.sees) == (str(build), False)
    assert colour(engine)


def test_it_is_named_by_the_folder_that_it_was_built_in() -> None:
    refused = OwnLibraryRefused("/home/me/llama-new/build/bin", "stopped")
    assert refused.values["name"] == "llama-new"
    assert OwnLibraryRefused("/opt/llama", "missing").values["name"] == "llama"


def test_doctor_names_it(build: Path) -> None:
    paths = AppPaths.from_environment()
    settings, _ = load_settings(paths.settings)
    save_settings(paths.settings, settings.changed("engine", library_folder=str(build)))
    done = subprocess.run([sys.executable, "-m", "app", "doctor", "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["llama_cpp_folder"] == str(build)
    assert "+" in report["llama_cpp"]
