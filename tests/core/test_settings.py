"""Settings: saved in one step, read whatever the file says."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core import settings as module
from app.core.settings import SCHEMA_VERSION, SECTIONS, AppearanceSettings, Settings, load_settings, save_settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
NAMES = sorted({field.name for cls in SECTIONS.values() for field in dataclasses.fields(cls)} | {"later"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def write(path: Path, raw: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(raw), "utf-8")


def test_without_a_file_all_is_default(path: Path) -> None:
    assert load_settings(path) == (Settings(), [])
    assert not path.parent.exists()


def test_what_is_saved_comes_back(path: Path) -> None:
    changed = (
        Settings()
        .changed("appearance", scheme="dark", zoom=1.25, system_font=True, dim_pages=True)
        .changed("chat", system_prompt="Sei kurz. مرحبا 🔥", temperature=0.0, max_tokens=1)
        .changed("engine", model_path="/ein/Modell.gguf", known_models=("/a", "/b"), threads=3, gpu_layers=99)
        .changed("window", geometry="AAAA", sidebar_hidden=True, conversation_id=7)
    )
    save_settings(path, changed)
    assert load_settings(path) == (changed, [])
    assert "مرحبا" in path.read_text("utf-8"), "readable for people"


def test_a_recorded_file_is_read_whole_and_saved_as_it_was(path: Path) -> None:
    """Of the oldest schema, with values that are nobody's default and keys that this program does not know."""
    recorded = Path(__file__).parent / "data" / "settings-v2.json"
    loaded, wrong = load_settings(recorded)
    assert (wrong, loaded.engine.machines, loaded.network.internet) == ([], ("192.168.1.7:50052",), False)
    assert (loaded.chat.max_tokens, loaded.window.sidebar_width) == (900, 300)
    save_settings(path, loaded)
    assert path.read_bytes() == recorded.read_bytes()


def test_changed_leaves_the_old_tree_alone() -> None:
    old = Settings()
    assert old.changed("chat", max_tokens=5).chat.max_tokens == 5
    assert old == Settings()
    with pytest.raises(TypeError):
        old.changed("chat", no_such_setting=1)


def test_keys_of_other_versions_are_written_back(path: Path) -> None:
    write(path, {"schema_version": 1, "chat": {"max_tokens": 9, "style": "warm"}, "later": {"a": [1, None]}})
    loaded, wrong = load_settings(path)
    assert (loaded.chat.max_tokens, wrong) == (9, [])
    save_settings(path, loaded.changed("chat", max_tokens=10))
    raw = json.loads(path.read_text("utf-8"))
    assert raw["chat"]["style"] == "warm"
    assert raw["chat"]["max_tokens"] == 10
    assert raw["later"] == {"a": [1, None]}


def test_a_file_of_a_newer_version_keeps_its_number(path: Path) -> None:
    write(path, {"schema_version": SCHEMA_VERSION + 3, "chat": {"max_tokens": 9}})
    loaded, wrong = load_settings(path)
    assert (loaded.chat.max_tokens, wrong) == (9, [])
    save_settings(path, loaded)
    assert json.loads(path.read_text("utf-8"))["schema_version"] == SCHEMA_VERSION + 3, "it migrated already"


def test_a_new_file_says_its_version(path: Path) -> None:
    save_settings(path, Settings())
    assert json.loads(path.read_text("utf-8"))["schema_version"] == SCHEMA_VERSION


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("appearance", "scheme", "purple"),
        ("appearance", "zoom", 0),
        ("appearance", "zoom", 100),
        ("appearance", "zoom", "1"),
        ("appearance", "zoom", True),
        ("appearance", "zoom", float("nan")),
        ("appearance", "zoom", 10**400),
        ("appearance", "system_font", 1),
        ("chat", "temperature", -0.5),
        ("chat", "temperature", float("inf")),
        ("chat", "max_tokens", 0),
        ("chat", "max_tokens", 5.5),
        ("chat", "max_tokens", None),
        ("chat", "system_prompt", ["x"]),
        ("engine", "known_models", "/a"),
        ("engine", "known_models", ["/a", 1]),
        ("engine", "threads", -1),
        ("engine", "gpu_layers", -2),
    ],
)
def test_a_wrong_value_falls_back_alone_and_is_reported(path: Path, section: str, key: str, value: object) -> None:
    write(path, {"schema_version": 1, "window": {"sidebar_width": 300}, section: {key: value}})
    loaded, wrong = load_settings(path)
    assert wrong == [f"{section}.{key}"]
    assert getattr(loaded, section) == getattr(Settings(), section)
    assert loaded.window.sidebar_width == 300


def test_a_whole_number_serves_where_a_fraction_is_meant(path: Path) -> None:
    write(path, {"appearance": {"zoom": 2}})
    assert load_settings(path) == (Settings(appearance=AppearanceSettings(zoom=2.0)), [])


def test_a_section_that_is_no_section_falls_back(path: Path) -> None:
    write(path, {"chat": [1, 2], "window": {"sidebar_width": 300}})
    loaded, wrong = load_settings(path)
    assert wrong == ["chat"]
    assert loaded.window.sidebar_width == 300


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"null", b"[]", b'"text"', b"[" * 100_000, b'{"chat": ' * 50_000]
)
def test_a_file_that_makes_no_sense_is_moved_aside_and_reported(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert load_settings(path) == (Settings(), ["settings"])
    assert not path.exists()
    assert path.with_name("settings.json.damaged").read_bytes() == content


def test_a_file_saved_by_a_windows_editor_is_read(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'\xef\xbb\xbf{\r\n"chat": {"max_tokens": 7}}\r\n')
    loaded, wrong = load_settings(path)
    assert (loaded.chat.max_tokens, wrong) == (7, [])


def test_text_with_halves_of_characters_can_be_saved(path: Path) -> None:
    changed = Settings().changed("engine", model_path="/caf\udce9/model.gguf")
    changed = changed.changed("chat", system_prompt="half \ud800, NUL \0, \\ud800 written out")
    save_settings(path, changed)
    path.read_bytes().decode("utf-8")
    assert load_settings(path) == (changed, [])


def test_a_refused_save_raises_and_leaves_the_old_file(path: Path) -> None:
    save_settings(path, Settings())
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_settings(path, Settings(unknown={"not json": object()}))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"], "no scratch file stays"


def test_a_folder_that_refuses_raises_an_oserror(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        save_settings(tmp_path / "file" / "settings.json", Settings())


def test_old_schemas_are_migrated_step_by_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(
        module,
        "MIGRATIONS",
        {2: lambda raw: {**raw, "steps": [1]}, 3: lambda raw: {**raw, "steps": [*raw.get("steps", []), 2]}},
    )
    write(path, {"schema_version": 1})
    assert load_settings(path)[0].unknown == {"steps": [1, 2]}
    write(path, {"schema_version": 2})
    assert load_settings(path)[0].unknown == {"steps": [2]}
    write(path, {"schema_version": 3})
    assert load_settings(path)[0].unknown == {}


def sections() -> st.SearchStrategy[dict[str, Any]]:
    inner = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6) | JSON
    return st.dictionaries(st.sampled_from([*SECTIONS, "schema_version", "later"]), inner, max_size=6)


@given(sections())
@example({"schema_version": -5})
@example({"schema_version": True})
@example({"unknown": 1})
def test_whatever_the_file_says_it_loads_saves_and_then_stays_the_same(raw: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.json"
        write(path, raw)
        loaded, _ = load_settings(path)
        save_settings(path, loaded)
        once = path.read_bytes()
        again, wrong = load_settings(path)
        assert wrong == []
        save_settings(path, again)
        assert path.read_bytes() == once
