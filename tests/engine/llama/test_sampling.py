"""How the next token is chosen: sources, chain and grammars."""

from __future__ import annotations

import ctypes
import json
import re

import numpy as np
import pytest

from app.core.errors.request_errors import GrammarInvalid
from app.engine.llama.grammars import gbnf_of_schema
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import Model
from app.engine.llama.sampling import SamplerChain, SamplingValues, choose_sampling, make_chain, open_grammar
from app.engine.protocol import Sampling
from tests.helpers.following import refused_at
from tests.helpers.writer import Writer

# Grammars in the real library: kept to, refused without a crash, and out of the way of thinking.


pytestmark = pytest.mark.model

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 99}},
    "required": ["name", "age"],
}


def test_an_answer_keeps_to_a_grammar(writer: Writer) -> None:
    assert writer.write("Is the sky blue?", gbnf='root ::= "yes" | "no"') in ("yes", "no")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_keeps_to_a_schema_however_it_is_sampled(writer: Writer, seed: int) -> None:
    choice = SamplingValues(temperature=1.5, top_k=0, top_p=1, repeat_penalty=1.1, dry_multiplier=0.8, seed=seed)
    person = json.loads(writer.write("Describe a person as JSON.", schema=PERSON, choice=choice))
    assert set(person) == {"name", "age"}


def test_a_grammar_that_fits_changes_nothing(writer: Writer) -> None:
    free = writer.write("Say hello.", most_tokens=20)
    assert writer.write("Say hello.", gbnf="root ::= [^\\x00]*", most_tokens=20) == free


def test_what_stands_outside_is_not_checked(writer: Writer) -> None:
    seen: list[int] = []

    def is_outside(token: int) -> bool:
        seen.append(token)
        return len(seen) <= 5

    free = writer.write("Count to three.", most_tokens=5)
    text = writer.write("Count to three.", gbnf='root ::= "[" [0-9]{2} "]"', is_outside=is_outside)
    assert text.startswith(free)
    assert text.removeprefix(free)[:1] == "["
    assert text.endswith("]")


def test_a_grammar_that_no_token_fits_says_so(writer: Writer) -> None:
    with pytest.raises(GrammarInvalid):
        writer.write("Hi", gbnf="root ::= <[999999]>")


@pytest.mark.parametrize(
    "gbnf",
    [
        "nonsense",
        'root ::= root "a"',
        "root ::= a\na ::= root",
        "root ::= <no-such-token>",
    ],
)
def test_a_bad_grammar_is_refused(starter_loaded: Model, gbnf: str) -> None:
    with pytest.raises(GrammarInvalid) as refused:
        open_grammar(open_library(), starter_loaded, gbnf, "")
    assert refused.value.detail


@pytest.mark.parametrize(
    "schema",
    [
        "not JSON",
        "[]",
        '"text"',
        '{"$ref": "https://example.org/schema.json"}',
        '{"$ref": "#/nowhere"}',
        '{"type": "fancy"}',
        '{"type": "string", "pattern": "no anchors"}',
        '{"type": "string", "pattern": "^(?=a)$"}',
        "[" * 5000,
        json.dumps({"enum": ["x" * 240_000]}),
    ],
)
def test_a_bad_schema_is_refused(schema: str) -> None:
    with pytest.raises(GrammarInvalid):
        gbnf_of_schema(schema)


def test_a_schema_that_is_too_deep_is_refused(starter_loaded: Model) -> None:
    text = "{" + '"type":"array","items":{' * 1500 + "}" * 1501
    with pytest.raises(GrammarInvalid):
        open_grammar(open_library(), starter_loaded, "", text)


def test_a_schema_that_contains_itself_is_followed(writer: Writer) -> None:
    node = {"type": "object", "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}}}
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node | {"required": ["n"]}}}
    text = writer.write("A list, as JSON.", schema=schema, most_tokens=40)
    assert re.match(r'\{\s*"n"\s*:\s*-?\d+(\s*,\s*"next"\s*:\s*\{)?', text)


def test_a_long_limit_of_characters_is_no_obstacle(starter_loaded: Model) -> None:
    schema = {"type": "object", "properties": {"t": {"type": "string", "maxLength": 500}}, "required": ["t"]}
    grammar = open_grammar(open_library(), starter_loaded, "", json.dumps(schema))
    assert grammar is not None
    grammar.free()


ONE_LIST = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "integer"}}},
    "required": ["a"],
}


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "string", "maxLength": 10_000}, '"' + "some words " * 30 + '"', "word"),
        ({"type": "string", "maxLength": 3_000}, '"' + "a" * 3_000 + '"', '"' + "a" * 3_001),
        (
            {"type": "array", "items": {"type": "integer"}, "maxItems": 2_500},
            "[1" + ", 1" * 2_499 + "]",
            "[1" + ", 1" * 2_500,
        ),
        ({"type": "string", "minLength": 2, "maxLength": 4}, '"four"', '"fives"'),
        ({"type": "string", "minLength": 3000}, '"' + "a" * 3000 + '"', '"' + "a" * 2999 + '"'),
        ({"type": "string", "pattern": "^a{2,1000000000}b$"}, '"aaab"', '"ab"'),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 2**31 - 1}, "[1, 2, 3]", "[1, 2]"),
        ({"enum": [f"value {number}" for number in range(5000)]}, '"value 4321"', '"value 5000"'),
        ({"oneOf": [{"const": number} for number in range(3000)]}, "299", "2x"),
        ({"type": "string"}, r'"two\nlines"', '"two\nlines"'),
        ({"type": "string", "maxLength": 20}, r'"\ta tab"', '"\ta tab"'),
        (ONE_LIST, '{\n  "a": [\n    1,\n    2\n  ]\n}', '{\n\n  "a": [1]}'),
        (ONE_LIST, '{"a": [1,2]}', '{"a": [1,  2]}'),
    ],
)
def test_schemas_are_kept_by_llama_cpp(starter_loaded: Model, schema: object, right: str, wrong: str) -> None:
    assert refused_at(starter_loaded, "", right, json.dumps(schema), has_ended=False) is None
    assert refused_at(starter_loaded, "", wrong, json.dumps(schema), has_ended=False)


def test_a_large_schema_is_ready_quickly(starter_loaded: Model) -> None:
    ids = [{"const": number} for number in range(1500)]
    schema = {"type": "array", "items": {"anyOf": ids}, "minItems": 3, "maxItems": 10}
    grammar = open_grammar(open_library(), starter_loaded, "", json.dumps(schema))
    assert grammar is not None
    grammar.free()


def test_a_grammar_may_wait_for_what_begins_it(starter_loaded: Model) -> None:
    grammar = open_grammar(open_library(), starter_loaded, 'root ::= "<call>" ("yes" | "no")', "", "<call>")
    assert grammar is not None
    for token in starter_loaded.tokenize("Some words, <b>bold</b>. <call>", special=False):
        assert grammar.allows_token(token)
        grammar.accept(token)
    yes, other = (starter_loaded.tokenize(text, special=False)[0] for text in ("yes", "maybe"))
    assert grammar.allows_token(yes)
    assert not grammar.allows_token(other)
    grammar.free()


def test_without_either_there_is_no_grammar(starter_loaded: Model) -> None:
    assert open_grammar(open_library(), starter_loaded, "", "") is None


SMOLLM = {"general.architecture": "llama", "general.basename": "smollm2"}


def test_the_librarys_defaults_are_last() -> None:
    assert choose_sampling(Sampling(), Sampling(), {}) == SamplingValues()


def test_the_family_goes_before_the_library() -> None:
    choice = choose_sampling(Sampling(), Sampling(), SMOLLM)
    assert (choice.temperature, choice.top_p, choice.top_k, choice.min_p) == (0.7, 0.95, 40, 0.01)
    assert choice.repeat_penalty == 1.1


def test_only_the_family_that_needs_a_penalty_gets_one() -> None:
    assert choose_sampling(Sampling(), Sampling(), SMOLLM | {"general.basename": "smollm3"}).repeat_penalty == 1.0


def test_the_file_goes_before_the_family() -> None:
    choice = choose_sampling(
        Sampling(), Sampling(), SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.penalty_repeat": 1.2}
    )
    assert (choice.temperature, choice.repeat_penalty, choice.min_p) == (0.3, 1.2, 0.01)


def test_the_request_goes_before_everything() -> None:
    asked = Sampling(temperature=0.0, top_k=0, seed=7)
    choice = choose_sampling(asked, Sampling(), SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.top_p": 0.5})
    assert (choice.temperature, choice.top_k, choice.seed, choice.top_p) == (0.0, 0, 7, 0.5)


def test_a_tasks_preset_goes_between_chat_and_file() -> None:
    task = Sampling(temperature=0.2, top_p=0.9, presence_penalty=0.0)
    choice = choose_sampling(Sampling(temperature=0.5), task, SMOLLM | {"general.sampling.top_p": 0.5})
    assert (choice.temperature, choice.top_p, choice.presence_penalty, choice.min_p) == (0.5, 0.9, 0.0, 0.01)


def test_each_source_goes_before_the_next() -> None:
    metadata = SMOLLM | {"general.sampling.temp": 0.3, "general.sampling.top_k": 30}
    choice = choose_sampling(Sampling(seed=1), Sampling(temperature=0.2), metadata)
    assert choice.seed == 1  # the chat
    assert choice.temperature == 0.2  # the task, before the file
    assert choice.top_k == 30  # the file, before the library
    assert choice.min_p == 0.01  # the family, before the library
    assert choice.dry_multiplier == SamplingValues().dry_multiplier


def test_values_in_a_file_may_be_written_as_text() -> None:
    written = {"temp": "0.3", "top_k": "30", "penalty_last_n": "-1", "xtc_probability": "0.5", "min_p": " 0.1 "}
    choice = choose_sampling(
        Sampling(), Sampling(), {f"general.sampling.{key}": value for key, value in written.items()}
    )
    assert (choice.temperature, choice.top_k, choice.penalty_last_tokens, choice.xtc_probability) == (0.3, 30, -1, 0.5)
    assert isinstance(choice.top_k, int)
    assert choice.min_p == 0.1


@pytest.mark.parametrize("value", ["hot", "", "nan", "inf", "1e999", True, [1], None, "0x10"])
def test_values_in_a_file_that_are_no_numbers_are_passed_over(value: object) -> None:
    assert choose_sampling(Sampling(), Sampling(), {"general.sampling.temp": value}) == SamplingValues()


def test_values_of_the_wrong_type_in_a_file_are_passed_over() -> None:
    assert choose_sampling(Sampling(), Sampling(), {"general.sampling.temp": "hot"}) == SamplingValues()


@pytest.mark.parametrize(
    ("metadata", "temperature", "top_k"),
    [
        ({"general.architecture": "gemma3"}, 1.0, 64),
        ({"general.architecture": "qwen3", "general.name": "Qwen3 4B"}, 0.6, 20),
        ({"general.architecture": "qwen3", "general.name": "Qwen3 4B Instruct 2507"}, 0.7, 20),
        ({"general.architecture": "qwen2", "general.name": "DeepSeek R1 Distill Qwen 7B"}, 0.6, 40),
        ({"general.architecture": "llama", "general.name": "Llama 3.2 3B Instruct"}, 0.7, 40),
        ({"general.architecture": "gpt-oss"}, 1.0, 0),
        ({"general.architecture": "granite", "general.name": "Granite 4.0"}, 0.0, 0),
        ({"general.architecture": "llama", "general.name": "TinyLlama"}, 0.8, 40),
    ],
)
def test_families_are_known_by_architecture_and_name(metadata: dict[str, str], temperature: float, top_k: int) -> None:
    choice = choose_sampling(Sampling(), Sampling(), metadata)
    assert (choice.temperature, choice.top_k) == (temperature, top_k)


# The chain of samplers in the real library: same tokens however it is put together, and what DRY does.


@pytest.mark.parametrize(
    "choice", [SamplingValues(0), SamplingValues(0, repeat_penalty=1.2), SamplingValues(seed=4), SamplingValues(0, 0)]
)
def test_a_loop_writes_what_llama_cpp_samples_by_itself(
    writer: Writer, choice: SamplingValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = writer.write("Tell me about the sea.", choice=choice, most_tokens=20)
    sample = open_library().c.llama_sampler_sample
    monkeypatch.setattr(SamplerChain, "sample_token", lambda self, *place: sample(self.pointer, *place))
    assert writer.write("Tell me about the sea.", choice=choice, most_tokens=20) == written


def chosen_after(
    model: Model, choice: SamplingValues, before: str, logits: dict[str, float], bias: dict[str, float] | None = None
) -> bytes:
    """What is chosen after a text when the single-token words of `logits` are likeliest; `bias` is of such words."""
    c = open_library().c
    items = np.zeros(model.vocabulary_size, np.dtype([("id", "i4"), ("logit", "f4"), ("p", "f4")]))
    items["id"] = np.arange(model.vocabulary_size)
    for word, logit in logits.items():
        (token,) = model.tokenize(word, special=False)
        items["logit"][token] = logit
    data = ctypes.cast(items.ctypes.data, ctypes.POINTER(c.llama_token_data))
    array = c.llama_token_data_array(data=data, size=len(items), selected=-1, sorted=False)
    biases = {model.tokenize(word, special=False)[0]: value for word, value in (bias or {}).items()}
    chain = make_chain(open_library(), choice, model, logit_bias=biases)
    for token in model.tokenize(before, special=False):
        chain.accept(token)
    c.llama_sampler_apply(chain.pointer, ctypes.byref(array))
    token = array.data[array.selected].id
    chain.free()
    return model.token_bytes(token)


TOKENS_COMPARED = 20
"""All of the vocabulary is looked at for each, in Python."""


@pytest.mark.parametrize(
    "choice", [SamplingValues(repeat_penalty=1.3, seed=5), SamplingValues(0, frequency_penalty=0.7)]
)
def test_looking_at_the_likeliest_tokens_first_changes_no_token(
    writer: Writer, choice: SamplingValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = writer.write("Tell me about the sea.", choice=choice, most_tokens=TOKENS_COMPARED)
    monkeypatch.setattr("app.engine.llama.sampling._enough_to_penalize", lambda *_: 0)
    assert writer.write("Tell me about the sea.", choice=choice, most_tokens=TOKENS_COMPARED) == quick


@pytest.mark.parametrize(
    ("choice", "after"),
    [
        (SamplingValues(0), b" sea"),
        (SamplingValues(0, repeat_penalty=2.0), b" dog"),
        (SamplingValues(0, presence_penalty=3.0), b" dog"),
        (SamplingValues(0, frequency_penalty=3.0), b" dog"),
        (SamplingValues(0, frequency_penalty=1.0), b" sea"),
        (SamplingValues(0, dry_multiplier=5.0), b" dog"),
        (SamplingValues(0, repeat_penalty=2.0, penalty_last_tokens=0), b" sea"),
    ],
)
def test_what_stands_there_already_becomes_less_likely(
    starter_loaded: Model, choice: SamplingValues, after: bytes
) -> None:
    likely = {" sea": 10.0, " dog": 8.0}
    assert chosen_after(starter_loaded, choice, " sun tree sea sun tree", likely) == after


def test_a_token_may_be_forbidden_or_favoured(starter_loaded: Model) -> None:
    likely = {" sea": 10.0, " dog": 8.0}
    assert chosen_after(starter_loaded, SamplingValues(0), " sun", likely, {" sea": -100.0}) == b" dog"
    assert chosen_after(starter_loaded, SamplingValues(1.0, seed=1), " sun", likely, {" tree": 100.0}) == b" tree"


def test_what_stands_there_often_becomes_less_likely_with_each_time(starter_loaded: Model) -> None:
    choice, likely = SamplingValues(0, frequency_penalty=1.5), {" sea": 10.0, " dog": 8.0}
    assert chosen_after(starter_loaded, choice, " sea", likely) == b" sea"
    assert chosen_after(starter_loaded, choice, " sea sea", likely) == b" dog"


def test_nothing_is_penalized_where_nothing_repeats(starter_loaded: Model) -> None:
    choice = SamplingValues(0, repeat_penalty=2.0, presence_penalty=3.0, dry_multiplier=5.0)
    assert chosen_after(starter_loaded, choice, " sun tree", {" sea": 10.0, " dog": 8.0}) == b" sea"


def test_a_seed_makes_the_same_answer_again(writer: Writer) -> None:
    texts = {
        writer.write("Name an animal.", choice=SamplingValues(1.0, seed=seed), most_tokens=30) for seed in (3, 3, 4)
    }
    assert len(texts) == 2


def test_the_starter_is_sampled_as_its_family_is(starter_loaded: Model) -> None:
    assert choose_sampling(Sampling(), Sampling(), starter_loaded.header.metadata).repeat_penalty == 1.1
