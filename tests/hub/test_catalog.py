"""The list of suggested models: complete, made of what is known, and harmless when it is damaged."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from app.core.paths import resource_path
from app.engine.protocol import Sampling
from app.hub.catalog import FILE, CatalogEntry, load_catalog

ENTRIES = load_catalog()
BY_ID = {entry.id: entry for entry in ENTRIES}


def raw() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(resource_path(FILE).read_text("utf-8"))
    return body


def write(folder: Path, body: Any) -> Path:
    path = folder / "models.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body), "utf-8")
    return path


def test_the_list_holds_every_suggested_model_with_what_is_known_of_it() -> None:
    assert len(ENTRIES) == 17
    nine = BY_ID["qwen3.5-9b"]
    assert (nine.repo, nine.file) == ("unsloth/Qwen3.5-9B-GGUF", "Qwen3.5-9B-Q4_K_M.gguf")
    assert (nine.size_bytes, nine.sha256_prefix, nine.tier_gb) == (5680522464, "03b74727", 16)
    assert (nine.kv_bytes_per_token, nine.state_bytes) == (32 * 1024, 52_700_000)
    assert nine.chunks["summarize"].input_tokens == 6000
    assert nine.task_sampling["summarize"] == {
        "temperature": 0.3, "top_p": 0.9, "presence_penalty": 0.0, "repeat_penalty": 1.0,
    }  # fmt: skip


def test_what_nobody_knows_is_left_open() -> None:
    assert BY_ID["qwen3-coder-30b-a3b"].file == ""
    assert BY_ID["qwen3-coder-30b-a3b"].sha256_prefix == ""
    assert BY_ID["gemma-4-e2b"].kv_bytes_per_token == 0
    assert BY_ID["gpt-oss-20b"].active_share is None
    assert BY_ID["granite-4.1-3b"].languages == 0


def test_translators_say_their_languages_their_prompts_and_their_limits() -> None:
    translators = [entry for entry in ENTRIES if "translate" in entry.tasks]
    assert [entry.id for entry in translators] == ["hy-mt2-1.8b", "hy-mt2-1.8b-q8", "hy-mt2-7b"]
    for entry in translators:
        assert entry.languages == len(set(entry.language_codes)) == 38
        assert entry.translation_prompt == "hy-mt2"
        assert entry.sampling == {"temperature": 0.7, "top_p": 0.6, "top_k": 20, "min_p": 0.0, "repeat_penalty": 1.05}
        assert entry.chunks["translate"].input_tokens < entry.context_tokens == 8192


def test_sampling_has_only_fields_that_the_engine_knows() -> None:
    known = {each.name for each in dataclasses.fields(Sampling)}
    for entry in ENTRIES:
        for numbers in (entry.sampling, *entry.task_sampling.values()):
            assert set(numbers) <= known, entry.id
            Sampling(**numbers)  # type: ignore[arg-type]


def test_what_summarizes_has_its_limits_and_templates_that_are_named_exist() -> None:
    for entry in ENTRIES:
        assert ("summarize" in entry.tasks) == ("summarize" in entry.chunks), entry.id
        assert not entry.template or resource_path(entry.template).is_file()


def test_models_that_find_passages_do_nothing_else() -> None:
    finders = [entry for entry in ENTRIES if "passages" in entry.tasks]
    assert [(entry.id, entry.tasks) for entry in finders] == [
        ("granite-embedding-97m-r2", ("passages",)),
        ("embeddinggemma-300m", ("passages",)),
    ]


def test_no_model_with_a_licence_that_leaves_people_out_is_listed() -> None:
    others = {entry.id: entry.license for entry in ENTRIES if entry.license != "Apache-2.0"}
    assert others == {"embeddinggemma-300m": "Gemma"}, "whose terms bind what one does with it, not who one is"
    assert not [entry.id for entry in ENTRIES if "hy-mt1" in entry.id or "hunyuan" in entry.id or "aya" in entry.id]


def test_of_each_task_and_size_at_most_one_is_the_default() -> None:
    seen = [(task, entry.tier_gb) for entry in ENTRIES if entry.is_default for task in entry.tasks]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("name", "size", "sha256", "is_it"),
    [
        ("Qwen3.5-2B-Q4_K_M.gguf", 1280835840, "", True),
        ("Qwen3.5-2B-Q4_K_M.gguf", 1280835841, "", False),
        ("other.gguf", 1, "aaf42c8b" + "0" * 56, True),
        ("Qwen3.5-2B-Q4_K_M.gguf", 1280835840, "0" * 64, False),
    ],
)
def test_a_file_is_known_by_its_hash_else_by_name_and_size(name: str, size: int, sha256: str, is_it: bool) -> None:
    assert BY_ID["qwen3.5-2b"].is_file(name, size, sha256) is is_it


def test_a_model_without_a_file_name_is_no_file() -> None:
    assert not BY_ID["qwen3-coder-30b-a3b"].is_file("", BY_ID["qwen3-coder-30b-a3b"].size_bytes)


def change(**values: Any) -> dict[str, Any]:
    body = raw()
    body["models"][0] |= values
    return body


@pytest.mark.logs_warnings
@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "[]",
        "[" * 100_000,
        {"version": 2, "models": []},
        {"version": 1, "models": [1]},
        {"version": 1, "models": [{"id": "only"}]},
        change(size_bytes="large"),
        change(size_bytes=-1),
        change(size_bytes=True),
        change(tasks="chat"),
        change(tasks=["cook"]),
        change(repo="../../etc"),
        change(sampling={"temperature": "hot"}),
        change(chunks={"summarize": {"input_tokens": None}}),
        change(active_share=7),
        change(surprise=1),
        change(id="qwen3.5-2b"),
    ],
)
def test_a_damaged_list_is_an_empty_one_and_says_so(
    tmp_path: Path, body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_catalog(write(tmp_path, body)) == ()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "suggested models" in caplog.text


@pytest.mark.logs_warnings
def test_a_missing_list_is_an_empty_one(tmp_path: Path) -> None:
    assert load_catalog(tmp_path / "none.json") == ()


def test_an_entry_is_a_plain_value() -> None:
    assert isinstance(ENTRIES[0], CatalogEntry)
    assert BY_ID["gemma-4-26b-a4b"].active_bytes == int(14439363584 * 0.154)
    assert BY_ID["gpt-oss-20b"].active_bytes == 12109566624
