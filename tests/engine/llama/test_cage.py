"""Children that hold a model, ask about one or lend memory for one give up what they don't need, and work on in that
cage.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core import landlock
from app.core.cage_report import CageReport, CageWall
from app.core.child import Child, running_children
from app.core.errors.model_errors import ModelUnreadable
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.lending import Lend, RpcWorker
from app.engine.memory_probe import probe_header
from app.engine.model_shape import ModelLayout
from app.engine.rpc_machines import query_machine
from tests.helpers.caged import check_caged
from tests.helpers.engine import GREEDY, answer_of, load, user

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(
        landlock.kernel_version() < landlock.VERSION_WITH_SCOPES or platform.machine() not in ("x86_64", "aarch64"),
        reason="this kernel cages less",
    ),
]


def _answer(engine: EngineClient) -> str:
    return answer_of(engine.generate([user("Hi")], max_tokens=4, sampling=GREEDY))[0]


def test_a_child_with_a_model_is_caged_in_all_its_threads(
    engine: EngineClient, tiny_model: Callable[[str], Path]
) -> None:
    engine.describe_devices()
    (child,) = running_children()
    assert child.cage is None, "nothing that others wrote has been opened yet"
    load(engine, tiny_model("llama"))
    assert child.cage == CageReport(tuple(CageWall), ())
    assert _answer(engine)
    assert engine.pid is not None
    check_caged(engine.pid)


def test_a_model_elsewhere_gets_a_child_of_its_own_and_others_share_one(
    engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    own, elsewhere = tmp_path / "models", tmp_path / "Downloads"
    for folder in (own, elsewhere):
        folder.mkdir()
        shutil.copy(tiny_model("llama"), folder / "model.gguf")
    shutil.copy(tiny_model("gemma3"), own / "other.gguf")
    engine.folders = lambda: (own,)
    pids = []
    for path in (own / "model.gguf", own / "other.gguf", elsewhere / "model.gguf", own / "model.gguf"):
        load(engine, path)
        assert _answer(engine)
        pids.append(engine.pid)
    assert len(set(pids)) == 2 and pids[0] == pids[1] and pids[2] == pids[3]


def test_a_file_that_is_no_model_leaves_the_one_that_is_loaded(
    engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    load(engine, tiny_model("llama"))
    engine.folders = tuple
    pid, broken = engine.pid, tmp_path / "broken.gguf"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelUnreadable):
        load(engine, broken)
    assert engine.loaded is not None and engine.pid == pid


def test_a_model_that_took_the_place_of_another_is_opened(
    engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    engine.folders = tuple
    path = tmp_path / "model.gguf"
    shutil.copy(tiny_model("llama"), path)
    load(engine, path)
    shutil.copy(tiny_model("gemma3"), tmp_path / "new.gguf")
    (tmp_path / "new.gguf").replace(path)
    load(engine, path)
    assert _answer(engine)


def test_who_asks_whether_a_model_fits_is_caged_before_it_reads_a_stranger_s_header(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Child] = []
    told = Child.tell_cage

    def keep(child: Child, report: CageReport) -> None:
        asked.append(child)
        told(child, report)

    monkeypatch.setattr(Child, "tell_cage", keep)
    header = check_model(starter)
    beginning = starter.read_bytes()[: header.data_offset]
    assert probe_header(beginning, starter.stat().st_size, ModelLayout(2048), folder=tmp_path) is not None
    assert [child.cage for child in asked] == [CageReport(tuple(CageWall), ())]


def test_who_lends_memory_serves_at_one_port_in_a_cage(tmp_path: Path) -> None:
    told: list[object] = []
    worker = RpcWorker(Lend("127.0.0.1", 0, 10**9), tmp_path, told.append)
    try:
        worker.run(lambda: bool(told))
        (child,) = running_children()
        assert child.cage == CageReport(tuple(CageWall), ())
        check_caged(child.pid)
        assert query_machine(f"127.0.0.1:{worker.lend.port}").devices, "it goes on serving"
    finally:
        worker.close()


def test_links_lead_to_models(engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path) -> None:
    engine.folders = tuple
    link = tmp_path / "link.gguf"
    link.symlink_to(tiny_model("llama"))
    load(engine, link)
    assert _answer(engine)
