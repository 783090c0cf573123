"""Multi-token prediction: guesses of a model's own layer change no word, and are taken back without a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from app.core.gguf import check_model
from app.engine import predicted_drafts, protocol
from app.engine.backend import EngineJob
from app.engine.llama import loading
from app.engine.llama.cached_sequence import CachedSequence
from app.engine.llama.checkpoints import CheckpointBudget
from app.engine.llama.context import DECODED, LlamaContext
from app.engine.llama.llama_backend import LlamaBackend
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import Model, load_model
from app.engine.llama.model_parameters import ModelParameters, context_parameters, prediction_parameters
from app.engine.llama.prediction_context import PredictionContext
from app.engine.llama.tiles import TileNumbers
from app.engine.memory_probe import probe_file
from app.engine.model_shape import MOST_PREDICTED_TOKENS, ModelLayout, shape_of
from app.engine.protocol import Ask, DescribeDevices, LoadModel, Sampling, Wish
from tests.engine.llama.test_drafts import LETTERS, Loaded, eager, own_folder  # noqa: F401 - fixtures
from tests.helpers.engine import GREEDY
from tests.helpers.tiny_models import LAYERS, Tensors, make_tiny

pytestmark = pytest.mark.model

KIND = "qwen35_mtp"
LAYOUT = ModelLayout(512, sequences=3, batch_tokens=64, predicts=True)
TEXT = LETTERS * 6
SEEN_TOKENS = 200  # letters are among the first
CRITICAL_CHI_SQUARE = {4: 18.5, 5: 20.5, 6: 22.5, 7: 24.3, 8: 26.1, 9: 27.9}  # one in a thousand, by degrees of freedom


def without_layers(tensors: Tensors) -> None:
    """Each token depends on the one before it only, so that the layer guesses all of them."""
    for name in tensors:
        if not name.startswith(f"blk.{LAYERS}.") and name.endswith(
            ("attn_output.weight", "ssm_out.weight", "ffn_down.weight")
        ):
            tensors[name] *= 0


@pytest.fixture(scope="module")
def loaded(tiny_model: Callable[[str], Path]) -> Iterator[Loaded]:
    made = Loaded(tiny_model(KIND))
    yield made
    made.close()


@pytest.fixture(scope="module")
def opened(tiny_model: Callable[[str], Path]) -> Iterator[tuple[Model, LlamaContext, PredictionContext]]:
    """A model and both its contexts."""
    path, library = tiny_model(KIND), open_library()
    header, c = check_model(path), library.c
    parameters = ModelParameters(library, shape_of(header), LAYOUT, ())
    model = load_model(library, str(path), header, 0, tell=lambda _: None, cancelled=bool, parameters=parameters.value)
    assert model is not None
    pointer = c.llama_init_from_model(model.pointer, context_parameters(library, LAYOUT, 1))
    context = LlamaContext(
        library, model.pointer, pointer, threads=1, fixed_threads=True, most_tokens=512, batch_tokens=64
    )
    parameters = prediction_parameters(library, LAYOUT, 1)
    guessing = c.llama_init_from_model(model.pointer, parameters)
    prediction = PredictionContext(library, model, context, guessing, parameters)
    yield model, context, prediction
    prediction.free()
    context.free()
    model.free()


@pytest.mark.usefixtures("eager")
def test_a_layer_that_is_right_saves_two_of_three_steps(tmp_path: Path) -> None:
    made = Loaded(make_tiny(KIND, tmp_path / "tiny.gguf", change=without_layers))
    try:
        stats = made.compare(Ask((), text="the end", max_tokens=90, sampling=GREEDY))
        assert 50 < stats.kept_tokens > 0.8 * stats.drafted_tokens
        drawn = made.compare(Ask((), text="the end", max_tokens=90, sampling=Sampling(temperature=0.9, seed=4)))
        assert 0 < drawn.kept_tokens < 0.8 * drawn.drafted_tokens
    finally:
        made.close()


@pytest.mark.usefixtures("eager")
def test_sampled_words_are_as_likely_as_without_guesses(loaded: Loaded) -> None:
    """Other seeds for both, so that equal counts are no copy; chi-square of two samples."""
    counts = []
    for drafts, seeds in ((False, range(400)), (True, range(1000, 1400))):
        told = Counter[str]()
        for seed in seeds:
            ask = Ask((), text="abcabc", max_tokens=7, sampling=Sampling(temperature=1.5, seed=seed, top_k=6))
            text, stats, _ = loaded.answer(ask, drafts=drafts)
            told[text[-1:]] += 1
            assert bool(stats.drafted_tokens) is drafts or len(text) < 3
        counts.append(told)
    plain, drafted = counts
    common = [letter for letter in plain | drafted if plain[letter] + drafted[letter] >= 20]
    assert len(common) > 4
    rest = [[told.total() - sum(told[letter] for letter in common)] for told in counts]
    rows = np.array([[told[letter] for letter in common] + other for told, other in zip(counts, rest, strict=True)])
    rows = rows[:, rows.sum(0) > 0]
    expected = rows.sum(0) * rows.sum(1)[:, None] / rows.sum()
    assert ((rows - expected) ** 2 / expected).sum() < CRITICAL_CHI_SQUARE[min(9, rows.shape[1] - 1)]


@pytest.mark.usefixtures("eager")
def test_two_answers_side_by_side_and_one_after_the_other_change_nothing(loaded: Loaded) -> None:
    for text in (TEXT, TEXT + "zzz", LETTERS, TEXT):
        loaded.compare(Ask((), text=text, max_tokens=30, sampling=GREEDY, session="chat"))


@pytest.mark.usefixtures("eager")
def test_a_chat_goes_on_after_a_restart_as_without_guesses(tiny_model: Callable[[str], Path], tmp_path: Path) -> None:
    """The answer before it ends with guesses taken back, and its state is saved so."""
    told = []
    for drafts in (False, True):
        texts = []
        for length in (21, 22, 23, 24):  # one of them ends behind a refused guess
            text = TEXT
            for _ in range(2):
                backend = LlamaBackend()
                folder = tmp_path / f"{drafts}-{length}"
                folder.mkdir(exist_ok=True)
                wish = Wish(1024, gpu_layers=0, devices=("CPU",), threads=1, drafts=drafts)
                request = LoadModel(1, str(tiny_model(KIND)), wish, str(folder), 10**9)
                backend.load(request, EngineJob(lambda _: None))
                answered = Loaded.ask_one(backend, Ask((), text=text, max_tokens=length, sampling=GREEDY, session="c"))
                texts.append((answered[0], answered[1].reused_tokens))
                text += answered[0]
                backend.unload()
                backend.close()
        told.append(texts)
    assert told[0] == told[1]
    assert any(reused for _, reused in told[1])


def read(context: LlamaContext, sequence: CachedSequence, tokens: list[int]) -> Any:
    """Decode tokens and return the logits of the last."""
    assert context.decode([(sequence.number, tokens, sequence.position, 1)]) == DECODED
    sequence.extend(tokens)
    return context.logits(len(tokens) - 1, SEEN_TOKENS).copy()


@pytest.mark.parametrize("refused", [1, 2])
@pytest.mark.parametrize("copied", [False, True])
def test_refused_guesses_leave_no_trace_also_in_a_copy(
    opened: tuple[Model, LlamaContext, PredictionContext], *, refused: int, copied: bool
) -> None:
    _, context, _ = opened
    context.clear_all()
    one, two, anew = (CachedSequence(context, n, TileNumbers(), CheckpointBudget()) for n in range(3))
    prompt, draft = list(range(10, 40)), [50, 51, 52]
    read(context, one, prompt)
    assert context.decode([(0, draft, one.position, len(draft))]) == DECODED
    one.extend(draft[:-refused])
    one.drop_refused(refused)
    if copied:
        assert two.copy_prefix(one, len(one.tokens)) == len(one.tokens)
    after = read(context, two if copied else one, [60])
    read(context, anew, prompt)
    for token in draft[:-refused]:
        read(context, anew, [token])
    assert after == pytest.approx(read(context, anew, [60]), abs=1e-4)


def test_what_was_read_of_other_answers_is_gone_after_a_purge(
    opened: tuple[Model, LlamaContext, PredictionContext],
) -> None:
    _, context, prediction = opened
    context.clear_all()
    prediction.clear()
    prediction.hand_out_states(is_on=True)
    tokens, owner = list(range(10, 40)), object()
    assert context.decode([(0, tokens[:-1], 0, 1)]) == DECODED
    prediction.read_along(owner, tokens, 0, len(tokens) - 1)
    assert len(prediction.predict(owner, tokens, MOST_PREDICTED_TOKENS)) == MOST_PREDICTED_TOKENS
    assert prediction.predict(object(), tokens, 2) == [], "nor has another answer anything of it"
    prediction.clear()
    assert prediction.predict(owner, tokens, 2) == []


def test_memory_of_guesses_is_free_while_they_rest_and_comes_back(
    opened: tuple[Model, LlamaContext, PredictionContext],
) -> None:
    _, context, prediction = opened
    tokens, guesses = list(range(10, 40)), []
    for _ in range(2):
        context.clear_all()
        prediction.hand_out_states(is_on=True)
        owner = object()
        assert context.decode([(0, tokens[:-1], 0, 1)]) == DECODED
        prediction.read_along(owner, tokens, 0, len(tokens) - 1)
        guesses.append(prediction.predict(owner, tokens, MOST_PREDICTED_TOKENS))
        prediction.rest()
        assert prediction.is_resting
        prediction.clear()  # what is purged, or still asked by an answer of before, finds nothing
        prediction.read_along(owner, tokens, 0, 1)
        assert prediction.predict(owner, tokens, 2) == []
    assert guesses[0] == guesses[1] != []


def test_where_guesses_cost_more_than_they_gain_the_next_load_leaves_the_layer_out(
    tiny_model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(predicted_drafts, "LEAST_TIMES", 1)
    monkeypatch.setattr(predicted_drafts, "REST_LOSS_TOKENS", -1e9)  # whatever they cost is too much
    monkeypatch.setattr(predicted_drafts.PredictionGain, "best_length", lambda _, most: min(most, 2))
    sizes, drafted, told = [], [], []
    for answers in (2, predicted_drafts.REST_ANSWERS - 1, 1):
        backend = LlamaBackend()
        request = LoadModel(1, str(tiny_model(KIND)), Wish(512, gpu_layers=0, devices=("CPU",), threads=1))
        loaded = backend.load(request, EngineJob(lambda _: None))
        assert isinstance(loaded, protocol.Loaded)
        sizes.append(loaded.model.needed_bytes)
        for _ in range(answers):
            _, stats, _ = Loaded.ask_one(backend, Ask((), text=TEXT, max_tokens=12, sampling=GREEDY))
            drafted.append(bool(stats.drafted_tokens))
        told.append(backend.describe_devices(DescribeDevices(2)).thread_policy.get("guessed_ahead", ""))
        backend.unload()
        backend.close()
    assert sizes[1] < sizes[0] == sizes[2]
    assert drafted == [True, *[False] * predicted_drafts.REST_ANSWERS, True]
    assert ["rests" in words for words in told[:2]] == [True, False]


@pytest.mark.usefixtures("eager")
def test_a_purge_in_the_middle_of_an_answer_changes_no_word(loaded: Loaded) -> None:
    ask = Ask((), text=TEXT, max_tokens=60, sampling=GREEDY)
    plain = loaded.answer(ask, drafts=False)[0]
    assert loaded.answer(ask, drafts=True, meanwhile=lambda backend: backend.forget_texts({"document-1"}))[0] == plain


def test_guesses_that_only_cost_rest_and_come_back(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicted_drafts, "LEAST_TIMES", 1)
    monkeypatch.setattr(predicted_drafts, "REST_LOSS_TOKENS", -1e9)  # whatever they cost is too much
    monkeypatch.setattr(predicted_drafts.PredictionGain, "best_length", lambda _, most: min(most, 2))
    monkeypatch.setattr(predicted_drafts, "ALLOWED_LOSS_TOKENS", 1e9)
    ask = Ask((), text=TEXT, max_tokens=12, sampling=GREEDY)
    drafted = [bool(loaded.compare(ask).drafted_tokens) for _ in range(3 * predicted_drafts.REST_ANSWERS)]
    assert 0 < drafted.count(True) < 5


@pytest.mark.parametrize("refusal", ["drafts off", "no memory", "older llama.cpp"])
def test_without_the_layer_the_model_answers_all_the_same(
    tiny_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    wish = Wish(512, gpu_layers=0, devices=("CPU",), threads=1, drafts=refusal != "drafts off")
    if refusal == "no memory":
        monkeypatch.setattr(loading, "prediction_parameters", lambda *_: bad_parameters())
    elif refusal == "older llama.cpp":
        monkeypatch.setattr(loading, "can_predict", lambda _: False)
    backend = LlamaBackend()
    backend.load(LoadModel(1, str(tiny_model(KIND)), wish), EngineJob(lambda _: None))
    _, stats, _ = Loaded.ask_one(backend, Ask((), text=TEXT, max_tokens=40, sampling=GREEDY))
    backend.unload()
    backend.close()
    assert (stats.generated_tokens, stats.drafted_tokens) == (40, 0)


def bad_parameters() -> Any:
    parameters = open_library().c.llama_context_default_params()
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 0
    parameters.n_seq_max = 1 << 20
    return parameters


def big_file(path: Path) -> Path:
    """The header of a model like Qwen3.5 0.8B, with a hole for weights."""
    width, forward, heads, head, state, groups, vocabulary = 1024, 3584, 8, 256, 128, 16, 65536
    writer = gguf.GGUFWriter(path, "qwen35")
    for key, value in {
        "context_length": 8192, "embedding_length": width, "block_count": 9, "feed_forward_length": forward,
        "attention.head_count": heads, "attention.head_count_kv": 2, "attention.key_length": head,
        "attention.value_length": head, "full_attention_interval": 4, "nextn_predict_layers": 1,
        "ssm.conv_kernel": 4, "ssm.inner_size": groups * state, "ssm.state_size": state, "ssm.time_step_rank": groups,
        "ssm.group_count": groups, "vocab_size": vocabulary,
    }.items():  # fmt: skip
        writer.add_uint32(f"qwen35.{key}", value)
    writer.add_float32("qwen35.attention.layer_norm_rms_epsilon", 1e-6)
    writer.add_float32("qwen35.rope.freq_base", 1e7)
    writer.add_array("qwen35.rope.dimension_sections", [11, 11, 10, 0])
    writer.add_tokenizer_model("no_vocab")
    both = 3 * groups * state

    def add(name: str, *shape: int) -> None:
        writer.add_tensor_info(f"{name}.weight", shape[::-1], np.dtype(np.float32), 4 * int(np.prod(shape)))

    add("token_embd", width, vocabulary)
    add("output_norm", width)
    for number in range(9):
        blk = f"blk.{number}"
        add(f"{blk}.attn_norm", width)
        add(f"{blk}.post_attention_norm", width)
        for name, *shape in (("ffn_gate", width, forward), ("ffn_up", width, forward), ("ffn_down", forward, width)):
            add(f"{blk}.{name}", *shape)
        if number % 4 == 3 or number == 8:
            for name, *shape in (
                ("attn_q", width, 2 * heads * head), ("attn_k", width, 2 * head), ("attn_v", width, 2 * head),
                ("attn_output", heads * head, width), ("attn_q_norm", head), ("attn_k_norm", head),
            ):  # fmt: skip
                add(f"{blk}.{name}", *shape)
        else:
            writer.add_tensor_info(f"{blk}.ssm_dt.bias", (groups,), np.dtype(np.float32), 4 * groups)
            writer.add_tensor_info(f"{blk}.ssm_a", (groups,), np.dtype(np.float32), 4 * groups)
            for name, *shape in (
                ("attn_qkv", width, both), ("attn_gate", width, groups * state), ("ssm_conv1d", 4, both),
                ("ssm_beta", width, groups), ("ssm_alpha", width, groups), ("ssm_norm", state),
                ("ssm_out", groups * state, width),
            ):  # fmt: skip
                add(f"{blk}.{name}", *shape)
    add("blk.8.nextn.eh_proj", 2 * width, width)
    for norm in ("enorm", "hnorm", "shared_head_norm"):
        add(f"blk.8.nextn.{norm}", width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + 4 * 10**9)
    return path


def test_memory_is_counted_as_llama_cpp_takes_it(tmp_path: Path) -> None:
    path = big_file(tmp_path / "big.gguf")
    shape = shape_of(check_model(path))
    assert shape.predictor is not None
    both = []
    for predicts in (False, True):
        layout = ModelLayout(4096, sequences=5, predicts=predicts)
        measured, formula = probe_file(path, layout, folder=tmp_path), shape.memory_needs(layout)
        assert measured is not None
        assert formula.kv == pytest.approx(measured.kv, rel=0.002)
        both.append((measured, formula))
    (plain, plainly), (guessing, formula) = both
    assert 0.85 < (guessing.compute - plain.compute) / (formula.compute - plainly.compute) < 1.02
    assert formula.weights - plainly.weights == shape.predictor.weights > 4 * 2 * 1024**2
    on_gpu = shape.memory_needs(ModelLayout(4096, gpu_layers=9, predicts=True))
    assert on_gpu.gpu_weights == sum(shape.layer_weights) + shape.tied_weights + shape.output_weights + (
        shape.predictor.weights
    )


def test_the_layer_goes_to_the_gpu_with_the_output(tiny_model: Callable[[str], Path]) -> None:
    shape, library = shape_of(check_model(tiny_model(KIND))), open_library()
    for layers, counted in ((0, 0), (1, 2), (LAYERS + 1, LAYERS + 2)):
        parameters = ModelParameters(library, shape, ModelLayout(512, gpu_layers=layers), ())
        assert parameters.value.n_gpu_layers == counted
