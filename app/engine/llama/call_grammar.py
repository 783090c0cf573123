"""Grammar of answers that call functions in a template's syntax."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.engine.llama.calling import ANY_ID, TAG
from app.engine.protocol import MOST_CALLS, Calling

# GBNF has no negated strings, so a text ends at a `<` that the closing tag's next sign follows.
RAW_TEXT = 'rawtext ::= rawsign*\nrawsign ::= [^<] | "<" [^{}]'
"""Text without the closing tag and without whatever else may end it: a `<` and the excluded character."""
MOST_RAW_SIGNS = 2000
"""A longer bound of a text is left open: llama.cpp has a rule for each sign."""
CALL_SPACE = r"callspace ::= [ \n]{0,12}"
FENCED = r'"```json\n" bare "\n```"'
"""A call as models write it that were trained on code, whatever their template says."""


def grammar_of(calling: Calling, gbnf_of_schema: Callable[[str], str], answer_schema: str = "") -> str:
    """Return GBNF of the calls, from their first mark. Raises GrammarInvalid for a bad schema.

    With `answer_schema` or an escape, the grammar of a whole answer: calls, or text that follows the schema, or the
    escape. Calls may then be bare JSON too, for models that write them so.
    """
    return _CallGrammar(calling, gbnf_of_schema, answer_schema).write_gbnf()


class _CallGrammar:
    def __init__(self, calling: Calling, gbnf_of_schema: Callable[[str], str], answer_schema: str = "") -> None:
        self._calling, self._syntax = calling, calling.syntax
        self._gbnf_of_schema, self._answer_schema = gbnf_of_schema, answer_schema
        self._schemas: list[Any] = []

    def write_gbnf(self) -> str:
        syntax, functions = self._syntax, self._calling.functions
        rules = [self._call_rule(number, name, json.loads(schema)) for number, (name, schema) in enumerate(functions)]
        several = syntax.joiner and self._calling.several
        more = f" ({_gbnf_literal(syntax.joiner)} call){{0,{MOST_CALLS - 1}}}" if several else ""
        space = "" if TAG.match(syntax.opening) else '" "? '
        calls = f"{space}{_gbnf_literal(syntax.opening)} call{more} {_gbnf_literal(syntax.closing)}"
        lines = [f"root ::= {calls}"]
        if other := self._other_rule():
            bare = [self._bare_call_rule(name, json.loads(schema)) for name, schema in functions]
            lines = [f"root ::= {calls} | bare | {other}", f"bare ::= {' | '.join(bare)}", CALL_SPACE]
        lines.append("call ::= " + " | ".join(f"call{number}" for number in range(len(functions))))
        lines += rules
        # Ids as Mistral's models write them.
        lines.append("callid ::= [a-zA-Z0-9]{9}")
        lines.append(RAW_TEXT.format("/" if not syntax.quote else syntax.quote[1]) if syntax.key_closing else "")
        if self._schemas:  # one schema of all, so that no two rules of the converter have the same name
            # "null" keeps `anyOf` from being folded into its only member.
            found = self._gbnf_of_schema(json.dumps({"anyOf": [*self._schemas, {"type": "null"}]}))
            (root,) = re.findall(r"^root ::= (.*)$", found, re.MULTILINE)
            lines += [f"schema{number} ::= {rule}" for number, rule in enumerate(root.split(" | ")[:-1])]
            lines += [line for line in found.splitlines() if not line.startswith("root ::=")]
        return "\n".join(filter(None, lines))

    def _other_rule(self) -> str:
        """Return the rule for an answer in place of calls; "" where it can only be calls."""
        if self._calling.must_call:
            return f"{FENCED} | {_gbnf_literal(self._calling.escape)}" if self._calling.escape else ""
        return self._schema_rule(json.loads(self._answer_schema)) if self._answer_schema else ""

    def _call_rule(self, number: int, name: str, schema: Any) -> str:
        between = _gbnf_literal(self._syntax.between)
        if not self._syntax.key_closing:
            return f"call{number} ::= {_gbnf_literal(name)} {between} {self._schema_rule(schema)}"
        given = schema.get("properties") if isinstance(schema, dict) else None
        properties = given if isinstance(given, dict) else {}
        required = schema.get("required", ()) if properties else ()
        rules = [(self._argument_rule(key, value), key in required) for key, value in properties.items()]
        return f"call{number} ::= {_gbnf_literal(name)} {between} {self._argument_rules(rules)}"

    def _bare_call_rule(self, name: str, schema: Any) -> str:
        signs = ("{", '"name"', ":", json.dumps(name, ensure_ascii=False), ",", '"arguments"', ":")
        begin = " callspace ".join(_gbnf_literal(sign) for sign in signs)
        return f"{begin} callspace {self._schema_rule(schema)} callspace {_gbnf_literal('}')}"

    def _argument_rules(self, rules: Sequence[tuple[str, bool]]) -> str:
        """Return the rule for arguments in order, required ones included; the first one present has no separator."""
        between = f"{_gbnf_literal(self._syntax.separator)} " if self._syntax.separator else ""
        rest = [f"{between}{rule}" if is_required else f"({between}{rule})?" for rule, is_required in rules]
        # Without separators optional arguments just follow each other.
        if not between:
            return " ".join(rest)
        begins = []
        for place, (rule, is_required) in enumerate(rules):
            # The first one present decides what follows; once a required one is passed, nothing can come before it.
            begins.append(" ".join((rule, *rest[place + 1 :])))
            if is_required:
                return f"({' | '.join(begins)})"
        return f"({' | '.join(begins)})?" if begins else ""

    def _argument_rule(self, key: str, schema: Any) -> str:
        syntax = self._syntax
        before = _gbnf_literal(f"{syntax.key_opening}{key}{syntax.key_closing}")
        after = f" {_gbnf_literal(syntax.value_closing)}" if syntax.value_closing else ""
        return f"{before} {self._value_rule(schema)}{after}"

    def _value_rule(self, schema: Any) -> str:
        quote = self._syntax.quote
        # A text that its closing tag ends is not quoted.
        if is_text(schema) and self._syntax.value_closing:
            return _raw_text_rule(schema)
        if is_text(schema) and quote:
            return f"{_gbnf_literal(quote)} {_raw_text_rule(schema)} {_gbnf_literal(quote)}"
        chosen = schema.get("enum") if isinstance(schema, dict) and quote else None
        if (
            isinstance(chosen, list)
            and chosen
            and all(isinstance(value, str) and quote not in value for value in chosen)
        ):
            return "(" + " | ".join(_gbnf_literal(f"{quote}{value}{quote}") for value in chosen) + ")"
        return self._schema_rule(schema)

    def _schema_rule(self, schema: Any) -> str:
        if schema not in self._schemas:
            self._schemas.append(schema)
        return f"schema{self._schemas.index(schema)}"


def is_text(schema: Any) -> bool:
    """Return whether a value is written as it is, where arguments are not JSON."""
    return isinstance(schema, dict) and schema.get("type") == "string" and "enum" not in schema


def _raw_text_rule(schema: Mapping[str, Any]) -> str:
    most = schema.get("maxLength")
    return f"rawsign{{0,{most}}}" if isinstance(most, int) and 0 < most <= MOST_RAW_SIGNS else "rawtext"


def _gbnf_literal(text: str) -> str:
    pieces = (json.dumps(piece, ensure_ascii=False) for piece in text.split(ANY_ID))
    return " callid ".join(piece for piece in pieces if piece != '""') or '""'
