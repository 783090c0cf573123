"""What is suggested on which machine: numbers decide, not names."""

from __future__ import annotations

import dataclasses

import pytest

from app.engine.fit import GpuRoom, MemoryRoom
from app.features.models.choice import fits_machine, is_translator, needed_bytes, offer_words, suggest_entries
from app.features.models.model_languages import BYTES_A_WEIGHT
from app.features.summarize.method import method_for
from app.features.summarize.summary_result import Method, SummaryOptions
from app.hub.catalog import load_catalog

ENTRIES = load_catalog()
BY_ID = {entry.id: entry for entry in ENTRIES}
GB = 10**9


def machine(ram_gb: float, *vram_gb: float, shared: bool = False) -> MemoryRoom:
    gpus = tuple(GpuRoom("gpu", "a GPU", int(size * GB), int(size * GB), shared) for size in vram_gb)
    return MemoryRoom(int(ram_gb * GB), int(ram_gb * GB), gpus)


def ids(task: str, room: MemoryRoom, limit: int = 3) -> list[str]:
    return [entry.id for entry in suggest_entries(ENTRIES, task, room, limit)]


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (machine(3.9), ["qwen3.5-2b", "qwen3.5-0.8b", "qwen3.5-4b"]),
        (machine(7.7), ["qwen3.5-4b", "qwen3.5-2b", "gemma-4-e2b"]),
        (machine(15.6), ["qwen3.5-9b", "qwen3.5-2b", "gemma-4-12b"]),
        (machine(24), ["gemma-4-26b-a4b", "qwen3.5-2b", "gpt-oss-20b"]),
        (machine(64), ["qwen3.6-35b-a3b", "qwen3.5-2b", "gemma-4-31b"]),
        (machine(0), ["qwen3.5-4b", "qwen3.5-2b", "gemma-4-e2b"]),
    ],
    ids=["4 GB", "8 GB", "16 GB", "24 GB", "64 GB", "nobody knows"],
)
def test_the_default_comes_first_then_the_fastest_then_the_best_of_the_rest(
    room: MemoryRoom, expected: list[str]
) -> None:
    assert ids("chat", room) == expected


@pytest.mark.parametrize(
    ("gb_per_s", "expected"),
    [
        (
            4,
            ["qwen3.5-0.8b", "qwen3.5-2b", "gemma-4-26b-a4b"],
        ),  # nothing is as quick as people read: the quickest first
        (16, ["qwen3.5-2b", "gemma-4-26b-a4b", "qwen3.5-4b"]),  # two cores: 12.5 tokens/s
        (60, ["gemma-4-26b-a4b", "qwen3.5-2b", "gpt-oss-20b"]),  # a desktop: 27 tokens/s
    ],
)
def test_the_first_writes_as_fast_as_people_read_where_anything_does(gb_per_s: int, expected: list[str]) -> None:
    """A machine with 24 GB may have few cores, or memory that gives a model of that size slowly."""
    found = suggest_entries(ENTRIES, "chat", machine(24), bytes_per_s=gb_per_s * GB)
    assert [entry.id for entry in found] == expected


def test_on_a_small_machine_the_third_is_for_a_larger_one() -> None:
    third = suggest_entries(ENTRIES, "chat", machine(3.9))[2]
    assert third.id == "qwen3.5-4b"
    assert not fits_machine(third, machine(3.9))


def test_on_a_larger_one_nothing_too_large_is_suggested() -> None:
    for ram_gb in (8, 16, 24, 48):
        assert all(fits_machine(entry, machine(ram_gb)) for entry in suggest_entries(ENTRIES, "chat", machine(ram_gb)))


def test_a_machine_too_small_for_everything_is_shown_the_smallest() -> None:
    assert ids("chat", machine(0.5), 1) == ["qwen3.5-0.8b"]
    assert not fits_machine(BY_ID["qwen3.5-0.8b"], machine(0.5))


@pytest.mark.parametrize(
    ("ram_gb", "expected"),
    [(4, "hy-mt2-1.8b"), (8, "hy-mt2-1.8b-q8"), (16, "hy-mt2-7b"), (64, "hy-mt2-7b")],
)
def test_each_machine_has_its_translator(ram_gb: float, expected: str) -> None:
    assert ids("translate", machine(ram_gb), 1) == [expected]


def test_the_rule_is_weights_context_and_the_rest_under_three_quarters() -> None:
    entry = BY_ID["qwen3.5-9b"]
    needed = 5680522464 + 32 * 1024 * 8192 + 52_700_000 + 700_000_000
    assert needed_bytes(entry) == needed
    assert not fits_machine(entry, MemoryRoom(0, int(needed / 0.75)))
    assert fits_machine(entry, MemoryRoom(0, int(needed / 0.75) + 10))


def test_a_gpu_carries_what_main_memory_does_not_but_a_shared_one_is_no_second_memory() -> None:
    entry = BY_ID["qwen3.5-9b"]
    assert not fits_machine(entry, machine(8))
    assert fits_machine(entry, machine(8, 8))
    assert not fits_machine(entry, machine(8, 7))  # a gigabyte of it stays free
    assert not fits_machine(entry, machine(8, 8, shared=True))


def test_where_the_context_is_not_known_the_size_of_the_machine_decides() -> None:
    entry = BY_ID["gemma-4-e2b"]
    assert entry.kv_bytes_per_token == 0
    assert fits_machine(entry, machine(7.6))
    assert not fits_machine(entry, machine(6))
    assert fits_machine(entry, machine(6, 8))


def test_what_runs_beside_the_program_now_changes_nothing() -> None:
    busy = dataclasses.replace(machine(16), free_bytes=GB)
    assert ids("chat", busy) == ids("chat", machine(16))


def test_what_others_lend_adds_one_at_the_end_and_takes_no_place_of_the_first() -> None:
    lent = machine(0, 16).gpus
    helped = suggest_entries(ENTRIES, "chat", machine(7.7), lent=lent)
    assert [entry.id for entry in helped] == ["qwen3.5-4b", "qwen3.5-2b", "gemma-4-26b-a4b"]
    assert [entry.id for entry in suggest_entries(ENTRIES, "chat", machine(7.7), 1, lent=lent)] == ["qwen3.5-4b"]
    assert suggest_entries(ENTRIES, "chat", machine(0.5), 1, lent=lent)[0].is_default, "nothing suits this one alone"
    shared = machine(0, 16, shared=True).gpus
    assert ids("chat", machine(7.7)) == [
        entry.id for entry in suggest_entries(ENTRIES, "chat", machine(7.7), lent=shared)
    ]


def test_no_list_no_suggestions() -> None:
    assert suggest_entries((), "chat", machine(16)) == []
    assert ids("cooking", machine(16)) == []


def test_an_offer_says_what_why_and_how_large() -> None:
    words = offer_words("translate", BY_ID["hy-mt2-1.8b"])
    expected = "Translating needs a model that knows both languages: Hy-MT2 1.8B, 1.1 GB, 38 languages"
    assert str(words) == expected
    assert str(offer_words("chat", BY_ID["qwen3.5-4b"])) == "Suggested for this computer: Qwen3.5 4B, 2.7 GB"
    long_texts = offer_words("summarize", BY_ID["granite-4.1-3b"])
    assert str(long_texts) == "Summarizes even long texts: Granite 4.1 3B, 2.1 GB"


def test_what_is_offered_for_summaries_is_what_it_will_be_used_for() -> None:
    """What the offer says of each model, and who would write with it."""
    for entry in (one for one in ENTRIES if "summarize" in one.tasks):
        weights = entry.size_bytes / BYTES_A_WEIGHT
        assert method_for(SummaryOptions(), weights, is_short=True) is Method.MODEL
        writes_long = method_for(SummaryOptions(), weights) is Method.MODEL
        assert ("long texts" in str(offer_words("summarize", entry))) is writes_long, entry.name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HY-MT1.5-7B-Q4_K_M.gguf", True),
        ("translategemma-4b-it-Q8_0.gguf", True),
        ("Qwen3.5-4B-Q4_K_M.gguf", False),
    ],
)
def test_translators_are_known_by_name(name: str, expected: bool) -> None:
    assert is_translator(name) is expected
