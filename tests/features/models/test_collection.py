"""Everything about models in one place, with the real store, real files, real child processes and a Hub of our own."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.hub_errors import FileNotOnHub, NetworkOff
from app.core.errors.model_errors import ModelNotInstalled, ModelNotOurs
from app.core.events import AnswerStats, CancelToken, FinishReason, ModelLoaded, Role
from app.core.paths import AppPaths
from app.engine.computer import JsonCache
from app.engine.memory_speed import machine_key
from app.engine.rpc_machines import RemoteMachine
from app.features.models import collection as facade
from app.features.models import machine_speed
from app.features.models.collection import TRASH_KEPT_S, ModelCollection
from app.features.models.estimate import fit_words, needs_words, pace_words
from app.features.models.installed import engine_names
from app.hub.download import Download
from app.hub.hub_search import FoundRepository, HubQuery
from app.store.conversations import MessageState
from tests.helpers.fake_hub import FakeHub
from tests.helpers.lenders import a_server, listening
from tests.helpers.models_on_disk import model_bytes, write_model, write_sidecar
from tests.helpers.script import write_script

GB = 10**9
FOREVER_S = 20.0


@pytest.fixture(autouse=True)
def nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Other programs' folders of whoever runs the tests are not looked into."""
    home = tmp_path / "person"
    monkeypatch.setenv("HOME", str(home))
    for name in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "LLAMA_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def app(hub: FakeHub) -> Iterator[Fireside]:
    built = build_program()
    yield built
    built.close()


@pytest.fixture
def large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 GB, of which 14 are free."""
    monkeypatch.setattr(facade, "total_memory_bytes", lambda: 16 * GB)
    monkeypatch.setattr(facade, "free_memory_bytes", lambda: 14 * GB)


class Ear:
    """Hears of downloads until one is in a state."""

    def __init__(self, app: Fireside) -> None:
        self.heard: list[Download] = []
        self._changed = threading.Condition()
        self.unlisten = app.models.download_changed.listen(self._hear)

    def _hear(self, download: Download) -> None:
        with self._changed:
            self.heard.append(download)
            self._changed.notify_all()

    def wait_for(self, state: str) -> Download:
        with self._changed:
            assert self._changed.wait_for(lambda: any(each.state == state for each in self.heard), FOREVER_S)
            return next(each for each in self.heard if each.state == state)


def half_way(app: Fireside, hub: FakeHub) -> tuple[Download, bytes]:
    """A download that stands still, with a part of it on the disk, until the Hub is healed; and what it fetches."""
    content = model_bytes("d", weights=200_000)
    hub.add("a/d", {"d-Q4_K_M.gguf": content})
    hub.fail("stall", after_bytes=130_000, times=-1)
    repository = app.models.hub.read_repository("a/d")
    download = app.models.fetching.download(repository, repository.models[0])
    hub.wait_for(lambda: any(part.stat().st_size for part in app.models.models_folder().rglob("*.part")))
    return download, content


def names(app: Fireside) -> list[tuple[str, str]]:
    return [(row.model.origin, row.model.path.name) for row in app.models.list_installed()]


# What is here.


def test_the_starter_ours_and_opened_ones_are_listed_each_once(app: Fireside, starter: Path, tmp_path: Path) -> None:
    folder = app.models.models_folder()
    write_model(folder / "a" / "m" / "m-Q4_K_M.gguf")
    write_sidecar(folder / "a" / "m" / "m-Q4_K_M.gguf", repo="a/m", commit="c" * 40, sha256="0" * 64)
    write_model(tmp_path / "elsewhere.gguf")
    app.models.choose_model("chat", folder / "a" / "m" / "m-Q4_K_M.gguf")
    app.models.choose_model("chat", tmp_path / "elsewhere.gguf")
    app.models.choose_model("chat", tmp_path / "gone.gguf")
    assert names(app) == [
        ("starter", starter.name),
        ("downloaded", "m-Q4_K_M.gguf"),
        ("opened", "elsewhere.gguf"),
    ]


def test_a_label_and_the_last_use_are_kept_and_found_by(app: Fireside, tmp_path: Path) -> None:
    path = tmp_path / "x-Q4_K_M.gguf"
    write_model(path)
    app.models.choose_model("chat", path)
    app.models.rename(path, "  My own name ")
    app.models.mark_used(path)
    row = app.models.list_installed()[-1]
    assert (row.label, row.used_at is not None) == ("My own name", True)
    assert app.models.find("my OWN name").path == app.models.find(str(path)).path == path
    app.models.rename(path, "")
    assert app.models.list_installed()[-1].label == "x"
    with pytest.raises(ModelNotInstalled):
        app.models.find("My own name")


def test_the_starter_is_called_what_it_is(app: Fireside, starter: Path) -> None:
    assert [row.label for row in app.models.list_installed()] == ["Starter"]
    assert app.models.find("starter").path == starter


def test_a_suggested_model_is_called_as_in_the_list(app: Fireside) -> None:
    path = app.models.models_folder() / "x" / "y" / "whatever.gguf"
    write_model(path)
    write_sidecar(path, repo="x/y", sha256="dc5f44fc" + "0" * 56)
    assert app.models.list_installed()[-1].label == "Hy-MT2 1.8B"


def test_those_of_other_programs_are_listed_apart(app: Fireside, nobodys_home: Path) -> None:
    write_model(nobodys_home / ".lmstudio" / "models" / "who" / "what" / "what-Q8_0.gguf")
    assert [(row.model.origin, row.model.is_ours) for row in app.models.list_others()] == [("lm_studio", False)]
    assert all(origin == "starter" for origin, _ in names(app))


def test_a_removed_model_leaves_the_settings_and_comes_back(app: Fireside) -> None:
    path = app.models.models_folder() / "a" / "m" / "m.gguf"
    content = write_model(path)
    app.models.choose_model("chat", path)
    app.models.choose_model("translate", path)
    thrown = app.models.remove(path)
    assert not path.exists()
    assert (app.settings.engine.model_path, app.settings.engine.known_models) == ("", ())
    assert app.settings.models.translate_path == ""
    assert app.models.put_back(thrown) == path
    assert path.read_bytes() == content


def test_what_is_not_ours_is_never_removed(app: Fireside, starter: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    write_model(path)
    app.models.choose_model("chat", path)
    for each in (path, starter):
        with pytest.raises(ModelNotOurs):
            app.models.remove(each)
        assert each.exists()
    assert names(app) == [("starter", starter.name)]
    with pytest.raises(ModelNotInstalled):
        app.models.remove(tmp_path / "never.gguf")


@pytest.mark.parametrize(("how", "origin", "stays"), [("copy", "added", True), ("move", "added", False)])
def test_a_file_that_is_brought_along_is_ours(
    app: Fireside, tmp_path: Path, how: str, origin: str, stays: bool
) -> None:
    source = tmp_path / "new.gguf"
    content = write_model(source)
    added = app.models.add(source, how, CancelToken())
    while True:
        try:
            next(added)
        except StopIteration as end:
            path = end.value
            break
    assert path.read_bytes() == content
    assert path.is_relative_to(app.models.models_folder())
    assert (source.exists(), names(app)[-1]) == (stays, (origin, "new.gguf"))


def test_a_file_that_is_used_in_place_is_only_remembered(app: Fireside, tmp_path: Path) -> None:
    source = tmp_path / "new.gguf"
    write_model(source)
    assert list(app.models.add(source, "in_place", CancelToken()))
    assert names(app)[-1] == ("opened", "new.gguf")


def test_the_models_folder_moves_and_everything_follows(app: Fireside, tmp_path: Path) -> None:
    old, new = app.models.models_folder(), tmp_path / "other disk"
    write_model(old / "a" / "m" / "m.gguf")
    app.models.choose_model("chat", old / "a" / "m" / "m.gguf")
    app.models.choose_model("write", old / "a" / "m" / "m.gguf")
    app.models.rename(old / "a" / "m" / "m.gguf", "Mine")
    list(app.models.move_folder(new, CancelToken()))
    moved = new / "a" / "m" / "m.gguf"
    assert moved.exists()
    assert not (old / "a").exists()
    assert app.models.models_folder() == new
    assert (app.settings.engine.model_path, app.settings.models.write_path) == (str(moved), str(moved))
    assert [row.label for row in app.models.list_installed() if row.model.path == moved] == ["Mine"]
    list(app.models.move_folder(old, CancelToken()))
    assert app.settings.models.folder == ""


# What there could be.


def test_suggestions_say_fit_speed_and_what_is_here(app: Fireside, large_machine: None, fast_machine: None) -> None:
    first, second, third = app.models.suggest_models("chat")
    assert [each.entry.id for each in (first, second, third)] == ["qwen3.5-9b", "qwen3.5-2b", "gemma-4-12b"]
    assert (first.fit.word, first.installed, first.download) == ("well", None, None)
    assert first.fit.tokens_per_s == pytest.approx(100e9 / 5680522464)
    path = app.models.models_folder() / "x" / "y" / "z.gguf"
    write_model(path)
    write_sidecar(path, repo="x/y", sha256="aaf42c8b" + "0" * 56)
    answer(app, engine_names(path)[0], tokens=100, tokens_per_s=30.0)
    first, second, _ = app.models.suggest_models("chat")
    assert first.entry.id == "qwen3.5-4b", "by what ran here, a larger one is slower than people read"
    assert second.fit.tokens_per_s == pytest.approx(30.0)
    assert second.installed is not None
    assert second.installed.path == path


def test_the_fit_of_what_was_found_follows_from_the_list_alone(
    app: Fireside, large_machine: None, fast_machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The network is on, but nobody is there: a request would fail.
    entry = next(entry for entry in app.models.entries if entry.id == "qwen3.5-4b")
    rows = [
        FoundRepository(entry.repo),
        FoundRepository("x/Large-35B-A3B-GGUF"),
        FoundRepository("x/no-size-in-the-name", parameters=8_000_000_000),
        FoundRepository("x/nothing-known"),
    ]
    fits = app.models.machine.guess_fits(rows)
    assert list(fits) == [row.repo for row in rows[:3]]
    assert str(needs_words(fits[entry.repo])) == "needs 3.1 GB", "as it is suggested"
    assert str(needs_words(fits[rows[2].repo])).startswith("needs about 6.")
    dense, mixture = fits[rows[2].repo].tokens_per_s, fits[rows[1].repo].tokens_per_s
    assert mixture > 2 * dense, "of a mixture only the active experts are read"
    assert app.ledger.connections(10) == []


def test_what_is_suggested_first_does_not_change_with_how_busy_the_machine_was(
    app: Fireside, starter: Path, large_machine: None, fast_machine: None
) -> None:
    before = [each.entry.id for each in app.models.suggest_models("chat")]
    for tokens, tokens_per_s in ((100, 20.0), (3, 5000.0), (100, 150.0)):
        answer(app, engine_names(starter)[0], tokens=tokens, tokens_per_s=tokens_per_s)
        assert [each.entry.id for each in app.models.suggest_models("chat")] == before


def test_what_other_computers_lend_makes_a_larger_one_possible_which_comes_last(
    app: Fireside, large_machine: None, fast_machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RemoteMachine, "is_here", False)  # as if they were others in this network
    alone = app.models.suggest_models("chat")
    with listening(a_server(memory=((32 * GB, 32 * GB),))) as address:
        app.machines.add(address)
        *here, with_help = app.models.suggest_models("chat")
        assert [each.entry.id for each in here] == [each.entry.id for each in alone[:2]]
        assert all(not each.fit.helpers and each.fit.tokens_per_s for each in here)
        assert with_help.entry.id == "qwen3.6-35b-a3b"
        assert str(fit_words(with_help.fit)).startswith("Fits with 127.0.0.1 · needs ")
        assert pace_words(with_help.fit) is None
        assert str(with_help.words_for("chat")).endswith(" GB, with the memory of 127.0.0.1")
        asked = len(app.ledger.connections())
        assert app.models.suggest_models("chat")[2] == with_help
        assert len(app.ledger.connections()) == asked, "they are asked once a minute"
        app.change_settings("engine", gpu_layers=0)
        assert [each.entry.id for each in app.models.suggest_models("chat")] == [each.entry.id for each in alone]
        app.change_settings("engine", gpu_layers=-1)
        app.change_settings("network", allowed=False)
        assert not any(each.fit.helpers for each in app.models.suggest_models("chat"))


def answer(app: Fireside, model: str, *, tokens: int, tokens_per_s: float) -> None:
    """An answer was written here."""
    chat = app.conversations.create()
    message = app.conversations.add_message(chat.id, None, Role.ASSISTANT, "x", model=model)
    stats = AnswerStats(10, 0, tokens, 0.1, tokens_per_s, FinishReason.STOP)
    app.conversations.finish_message(message.id, "x", MessageState.COMPLETE, stats)


def test_a_suggested_model_is_fetched_and_used_from_then_on(
    app: Fireside, hub: FakeHub, large_machine: None, fast_machine: None
) -> None:
    entry = next(each for each in app.models.entries if each.id == "hy-mt2-7b")
    hub.add(entry.repo, {entry.file: model_bytes("hy"), "other.gguf": model_bytes("other")})
    assert app.models.for_task("translate") is None
    offer = app.models.offer_for("translate")
    assert offer is not None
    assert str(offer.words_for("translate")) == (
        "Translating needs a model that knows both languages: Hy-MT2 7B, 4.6 GB, 38 languages"
    )
    ear = Ear(app)
    download = app.models.fetching.download_entry(entry)
    assert download.request.title == "Hy-MT2 7B"
    done = ear.wait_for("done")
    (path,) = map(Path, done.paths)
    assert path == app.models.models_folder() / entry.repo / entry.file
    assert path.read_bytes() == model_bytes("hy")
    assert app.models.for_task("translate") == path  # its name says that it translates
    assert app.models.offer_for("translate") is None
    assert app.models.list_installed()[-1].model.origin == "downloaded"


def test_the_vision_file_comes_along_where_it_is_wanted(app: Fireside, hub: FakeHub) -> None:
    files = {"eye-Q4_K_M.gguf": model_bytes("e"), "mmproj-F16.gguf": model_bytes("p", weights=3000)}
    hub.add("a/eye", files)
    hub.add("a/blind", files)
    ear = Ear(app)
    repository = app.models.hub.read_repository("a/eye")
    app.models.fetching.download(repository, repository.models[0])
    assert [Path(path).name for path in ear.wait_for("done").paths] == list(files)
    assert (
        app.models.list_installed()[-1].model.vision_path
        == app.models.models_folder() / "a" / "eye" / "mmproj-F16.gguf"
    )
    repository = app.models.hub.read_repository("a/blind")
    assert app.models.fetching.download(repository, repository.models[0], with_vision=False).request.vision is None


def test_a_repository_without_the_suggested_file_says_so(app: Fireside, hub: FakeHub) -> None:
    entry = app.models.entries[0]
    hub.add(entry.repo, {"something-else.gguf": model_bytes("x")})
    with pytest.raises(FileNotOnHub):
        app.models.fetching.download_entry(entry)


def test_the_same_bytes_elsewhere_are_not_fetched_but_used_there(
    app: Fireside, hub: FakeHub, nobodys_home: Path
) -> None:
    there = nobodys_home / ".lmstudio" / "models" / "who" / "what" / "w.gguf"
    content = write_model(there, weights=4000)
    hub.add("a/m", {"m-Q4_K_M.gguf": content})
    repository = app.models.hub.read_repository("a/m")
    ear = Ear(app)
    app.models.fetching.download(repository, repository.models[0])
    assert ear.wait_for("done").paths == (str(there),)
    assert not hub.seen("storage")
    assert names(app)[-1] == ("opened", "w.gguf")
    assert there.exists()


def test_search_card_and_estimate_ask_the_hub(app: Fireside, hub: FakeHub, large_machine: None, starter: Path) -> None:
    hub.add("a/needle", {"n-Q8_0.gguf": starter, "README.md": b"---\nlicense: mit\n---\n# Needle"})
    hub.add("a/hay", {"h.gguf": model_bytes("h")})
    assert [found.repo for found in app.models.hub.search(HubQuery("needle")).found] == ["a/needle"]
    repository = app.models.hub.read_repository("a/needle")
    assert app.models.hub.read_card("a/needle", repository.commit) == "# Needle"
    fit = app.models.machine.estimate("a/needle", repository.commit, repository.models[0])
    assert (fit.word, fit.is_exact) == ("well", False)
    assert hub.sent_of("/blob/") <= 64 * 1024
    exact = app.models.machine.estimate_exactly("a/needle", repository.commit, repository.models[0])
    assert exact.is_exact
    assert fit.needed_bytes == pytest.approx(exact.needed_bytes, rel=0.05)


@pytest.mark.slow
def test_what_does_not_fit_here_fits_with_what_another_computer_lends(
    app: Fireside, hub: FakeHub, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facade, "total_memory_bytes", lambda: GB)
    monkeypatch.setattr(facade, "free_memory_bytes", lambda: 4 * GB // 10)
    monkeypatch.setattr(RemoteMachine, "is_here", False)  # as if it were another one in this network
    hub.add("a/m", {"m-Q8_0.gguf": starter})
    repository = app.models.hub.read_repository("a/m")
    asked = "a/m", repository.commit, repository.models[0]
    assert app.models.machine.estimate(*asked).word in ("slow", "too_large")
    assert app.models.machine.recommend_file(repository.models) is None
    with listening(a_server(memory=((8 * GB, 8 * GB),))) as address:
        app.machines.add(address)
        assert app.models.machine.recommend_file(repository.models) == repository.models[0]
        for fit in (app.models.machine.estimate(*asked), app.models.machine.estimate_exactly(*asked)):
            assert str(fit_words(fit)).startswith("Fits with 127.0.0.1 · needs 0.4 GB")
            assert pace_words(fit) is None, "nobody knows how fast the network is"
        app.change_settings("engine", gpu_layers=0)
        assert app.models.machine.estimate(*asked).helpers == ()
    app.change_settings("engine", gpu_layers=-1)
    assert app.models.machine.estimate(*asked).helpers == (), "nobody is there any more"


def test_who_does_not_listen_any_more_hears_nothing(app: Fireside, hub: FakeHub) -> None:
    hub.add("a/m", {"m-Q4_K_M.gguf": model_bytes("m")})
    deaf, ear = Ear(app), Ear(app)
    deaf.unlisten()
    deaf.unlisten()
    repository = app.models.hub.read_repository("a/m")
    app.models.fetching.download(repository, repository.models[0])
    ear.wait_for("done")
    assert deaf.heard == []


# Tabs.


def test_each_tab_keeps_its_model_and_falls_back_when_it_is_gone(app: Fireside, starter: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    write_model(path)
    assert app.models.for_task("chat") == starter
    app.models.choose_model("chat", path)
    app.models.choose_model("summarize", path)
    assert (app.models.for_task("chat"), app.models.for_task("summarize")) == (path, path)
    path.unlink()
    assert (app.models.for_task("chat"), app.models.for_task("summarize")) == (starter, None)
    app.models.choose_model("chat", starter)
    assert app.settings.engine.model_path == ""


def test_the_starter_and_ordinary_models_do_not_translate(app: Fireside, tmp_path: Path) -> None:
    write_model(tmp_path / "chatty.gguf")
    app.models.choose_model("chat", tmp_path / "chatty.gguf")
    assert app.models.for_task("translate") is None
    assert app.models.for_task("write") is None, "any model goes on with a text, so that is the chat's"
    write_model(tmp_path / "translategemma-4b-it.gguf")
    app.models.choose_model("chat", tmp_path / "translategemma-4b-it.gguf")
    assert app.models.for_task("translate") == tmp_path / "translategemma-4b-it.gguf"


def test_the_first_start_is_offered_something_until_there_is_a_model(
    app: Fireside, tmp_path: Path, large_machine: None, fast_machine: None
) -> None:
    offer = app.models.offer_for("chat")
    assert offer is not None
    assert str(offer.words_for("chat")) == "Suggested for this computer: Qwen3.5 9B, 5.7 GB"
    write_model(tmp_path / "m.gguf")
    app.models.choose_model("chat", tmp_path / "m.gguf")
    assert app.models.offer_for("chat") is None


def test_for_a_long_text_a_model_is_offered_that_writes_its_summary(
    app: Fireside, large_machine: None, fresh_home: Path
) -> None:
    speeds = {machine_speed.TAKEN: 8e9, machine_speed.PROBED: 8e9}
    folder = AppPaths.from_environment().cache
    folder.mkdir(parents=True, exist_ok=True)
    JsonCache(folder / machine_speed.FILE).put(machine_key(), speeds)  # so slow that the smallest is suggested first
    offers = [app.models.offer_for("summarize", of_long=of_long) for of_long in (False, True)]
    words = [str(offer.words_for("summarize")) for offer in offers if offer is not None]
    assert words[0].endswith(": Qwen3.5 2B, 1.3 GB")
    assert words[1].partition(":")[0] != words[0].partition(":")[0]


def test_nothing_is_offered_that_would_not_fit(app: Fireside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facade, "total_memory_bytes", lambda: GB // 2)
    monkeypatch.setattr(facade, "free_memory_bytes", lambda: GB // 4)
    assert {each.fit.word for each in app.models.suggest_models("chat")} == {"too_large"}
    assert app.models.offer_for("chat") is None


# The disk, the network, and the program's life.


def test_storage_is_measured_and_cleared(app: Fireside, hub: FakeHub) -> None:
    folder = app.models.models_folder()
    size = len(write_model(folder / "a" / "m" / "m.gguf"))
    gone = len(write_model(folder / "a" / "n" / "n.gguf", weights=500))
    app.models.remove(folder / "a" / "n" / "n.gguf")
    (folder / "a" / "m" / "half.gguf.part").write_bytes(bytes(1000))
    app.states.folder.mkdir(parents=True)
    (app.states.folder / "x.state").write_bytes(bytes(500))
    hub.add("a/d", {"d-Q4_K_M.gguf": model_bytes("d")})
    repository = app.models.hub.read_repository("a/d")
    ear = Ear(app)
    app.models.fetching.download(repository, repository.models[0])
    done = ear.wait_for("done")
    report = app.models.storage.make_report()
    assert (report.folder, report.models_bytes) == (folder, size + done.total_bytes)
    assert report.trash_bytes >= gone
    assert (report.parts_bytes, report.states_bytes, report.jobs_bytes > 0) == (1000, 500, True)
    for clear in (
        app.models.storage.clear_trash,
        app.models.storage.clear_parts,
        app.models.storage.clear_states,
        app.models.storage.clear_jobs,
    ):
        clear()
    report = app.models.storage.make_report()
    assert (report.trash_bytes, report.parts_bytes, report.states_bytes, report.jobs_bytes) == (0, 0, 0, 0)
    assert report.models_bytes == size + done.total_bytes
    assert app.models.downloads.all() == []


def test_the_beginning_of_a_paused_download_is_not_cleared(app: Fireside, hub: FakeHub) -> None:
    ear = Ear(app)
    download, _ = half_way(app, hub)
    app.models.downloads.pause(download.id)
    ear.wait_for("paused")
    app.models.downloads.close()
    part = app.models.models_folder() / "a" / "d" / "d-Q4_K_M.gguf.part"
    app.models.storage.clear_parts()
    assert part.stat().st_size > 0
    report = app.models.storage.make_report()
    assert (report.models_bytes, report.parts_bytes) == (part.stat().st_size, 0)


def test_switching_the_network_off_stops_downloads_and_on_goes_on(app: Fireside, hub: FakeHub) -> None:
    ear = Ear(app)
    _, content = half_way(app, hub)
    app.change_settings("network", allowed=False)
    assert isinstance(ear.wait_for("paused").error, NetworkOff)
    with pytest.raises(NetworkOff):
        app.models.hub.search(HubQuery("x"))
    # That it is paused is told before its child is gone, which would still take what the Hub sends from here on.
    hub.wait_for(lambda: not any(thread.name.startswith("download ") for thread in threading.enumerate()))
    hub.heal()
    app.change_settings("network", allowed=True)
    done = ear.wait_for("done")
    assert Path(done.paths[0]).read_bytes() == content
    assert done.resumed_bytes > 0


def test_the_start_empties_old_trash_learns_of_gpus_and_goes_on_with_downloads(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_home: Path
) -> None:
    gpu = {"name": "GPU0", "description": "A card", "type": "gpu", "free_bytes": 7, "total_bytes": 8}
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path, devices=[gpu])))
    app = build_program()
    half_way(app, hub)
    old = app.models.models_folder() / "a" / "old" / "old.gguf"
    write_model(old)
    thrown = app.models.remove(old)
    note = thrown.place / "thrown.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"thrown_at": thrown.thrown_at - TRASH_KEPT_S}))
    app.close()
    hub.heal()
    again = build_program()
    ear = Ear(again)
    again.models.start()
    assert ear.wait_for("done").resumed_bytes > 0
    hub.wait_for(lambda: not thrown.place.exists() and again.models.machine.memory_room().gpus != ())
    assert again.models.machine.memory_room().gpus[0].total_bytes == 8
    again.change_settings("engine", gpu_layers=0)
    assert again.models.machine.memory_room().gpus == ()
    again.close()
    again.close()


def test_the_memory_of_the_loaded_model_counts_as_free_for_another(app: Fireside, large_machine: None) -> None:
    loaded = ModelLoaded("m.gguf", "m", 1, 1, 1, True, 1, 0, "CPU", 1, needed_bytes=GB)
    around = dataclasses.replace(app.models.around, loaded=lambda: loaded)
    assert ModelCollection(around).machine.memory_room().free_bytes == 15 * GB
    around = dataclasses.replace(around, loaded=lambda: dataclasses.replace(loaded, needed_bytes=5 * GB))
    assert ModelCollection(around).machine.memory_room().free_bytes == 16 * GB
    around = dataclasses.replace(around, loaded=lambda: dataclasses.replace(loaded, gpu_layers=1))
    assert ModelCollection(around).machine.memory_room().free_bytes == 14 * GB


def test_nothing_is_fetched_and_nothing_is_asked_without_a_click(hub: FakeHub, app: Fireside) -> None:
    app.models.downloads.start()
    app.models.suggest_models("chat")
    app.models.offer_for("chat")
    app.models.list_installed()
    app.models.list_others()
    app.models.storage.make_report()
    assert hub.requests == []


def test_the_mirror_of_the_settings_goes_before_the_environment(
    app: Fireside, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("a/m", {"m.gguf": model_bytes("m")})
    app.change_settings("network", mirror=hub.url + "/")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert app.models.hub.read_repository("a/m").name == "a/m"
    assert [each.why for each in app.ledger.connections()] == ["repository"]
