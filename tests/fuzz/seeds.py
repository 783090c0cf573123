"""Small good inputs that fuzzing begins with: all made here, so that the repository keeps no foreign file."""

# ruff: noqa: E501 - files in one line

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from app.core.settings import Settings, save_settings
from tests.features.exchange import makers
from tests.helpers import gguf_files, office_files, text_files, web_files
from tests.helpers.documents import pdf_pages

WORDS = "The harbour moved 3.4 million tonnes in 2024. The ferry to Sandholm sailed 388 times."


def _saved(name: str, write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def _encode_all(values: Sequence[Any]) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def gguf() -> list[bytes]:
    tensors = [("token_embd.weight", (32, 8), 0, 0), ("output.weight", (32, 8), 8, 1024)]
    metadata = {"general.architecture": "llama", "llama.block_count": 2, "a": True, "b": 1.5, "general.alignment": 32}
    whole = gguf_files.padded(gguf_files.header(metadata, tensors)) + bytes(4096)
    return [
        whole,
        gguf_files.vocabulary_only(),
        gguf_files.header({"x": [1, 2, 3]}, version=2),
        gguf_files.unknown_architecture(),
    ]


def engine_messages() -> list[bytes]:
    folder = Path(__file__).parents[1]
    return [
        line
        for file in sorted((folder / "engine" / "data").glob("wire-*.jsonl"))
        for line in file.read_bytes().splitlines()
    ]


def settings() -> list[bytes]:
    old = Path(__file__).parents[1] / "core" / "data" / "settings-v2.json"
    return [_saved("settings.json", lambda path: save_settings(path, Settings())), old.read_bytes(), b"{}", b"[1]"]


def hub_answers() -> list[bytes]:
    files = [{"rfilename": "m-Q4_K_M.gguf", "size": 5, "lfs": {"sha256": "a" * 64, "size": 5}}]
    repository = {
        "id": "a/b", "sha": "0" * 40, "downloads": 3, "likes": 1, "lastModified": "2026-01-02T03:04:05.000Z",
        "tags": ["license:mit", "gguf"], "gated": "auto", "siblings": [*files, {"rfilename": "README.md", "size": 9}],
        "cardData": {"license": "mit", "language": ["en"]}, "gguf": {"total": 7, "architecture": "llama"},
    }  # fmt: skip
    sharded = repository | {"siblings": [{"rfilename": f"m-0000{n}-of-00002.gguf", "size": 5} for n in (1, 2)]}
    return _encode_all([[repository], repository, sharded])


def requests() -> list[bytes]:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "t"}, picture]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "r"},
    ]
    return _encode_all(
        [
            {
                "model": "m",
                "messages": turns,
                "tools": [tool],
                "tool_choice": "auto",
                "temperature": 0.5,
                "stop": ["x"],
            },
            {"messages": turns, "logit_bias": {"5": -1}, "response_format": {"type": "json_object"}, "logprobs": True},
            {"prompt": ["a", "b"], "max_tokens": 5, "echo": True, "n": 2, "stream": True, "seed": 3},
            {"prompt": [1, 2, 3], "suffix": "x"},
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "t"}]}], "text": {"format": {}}},
            {"messages": [{"role": "user", "content": "t"}], "max_tokens": 9, "thinking": {"type": "enabled"}},
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}], "max_tokens": 9},
            {"input_prefix": "a", "input_suffix": "b", "input_extra": [{"filename": "f", "text": "t"}]},
            {"content": "a", "with_pieces": True},
            {"input": ["a"], "encoding_format": "base64", "dimensions": 3},
            {"query": "q", "documents": ["a", {"text": "b"}], "top_n": 1},
        ]
    )


def multipart() -> list[bytes]:
    part = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n'
    text = b"--B\r\nContent-Disposition: form-data; name=model\r\n\r\nx\r\n"
    return [part + text + b"--B--\r\n", b"--B--", part]


def imports() -> list[bytes]:
    made = [makers.gpt_example(), makers.claude_example(), makers.lm_example(), makers.webui_example()]
    return _encode_all([*([value] for value in made), *made, {"format": "fireside-chats", "version": 1, "chats": [{}]}])


def texts() -> list[bytes]:
    return [
        text.encode()
        for text in (
            "# Head\n\n- one\n  1. two\n\n> quote\n\n| a | b |\n|---|---|\n| `c` | **d** |\n",
            "[a](http://x.org \"t\") <http://y.org> ![p](http://z.org/a.png) [b](javascript:x)\n",
            "<img src=x onerror=alert(1)><script>x</script><details open><summary>s</summary>d</details>",
            "```python\nprint(1)\n```\n\n~~~\nx\n",
            "$\\frac{a}{b}$ and \\[x^2\\] and $$\\sum_i$$ [^1]\n\n[^1]: note\n",
            "a \u202eb\u202c \u2067c\u2069 \u200bd ~~e~~ ==f== H<sub>2</sub>O &lt;b&gt; &#8238;\n",
        )
    ]  # fmt: skip


def templates() -> list[bytes]:
    turn = "<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n"
    return [
        ("{% for m in messages %}" + turn + "{% endfor %}{{ bos_token }}").encode(),
        b"{%- set ns = namespace(x=1) -%}{% macro f(a) %}{{ a|tojson }}{% endmacro %}{{ f(messages) }}{{ ns.x * 3 }}",
        b"{{ raise_exception('x') }}{% if messages[0].content is string %}{{ strftime_now('%Y') }}{% endif %}",
        b"{% for i in range(3) %}{% break %}{{ loop.index }}{% endfor %}{{ 'a' ~ 2 ** 3 }}{% generation %}x{% endgeneration %}",
    ]


def answers() -> list[bytes]:
    call = '```json\n{"name": "f", "arguments": {"a": 1}}\n```'
    return [
        f"x\nbefore {call} after".encode(),
        b"{{ '<think>' }}\n<think>I think</think>\n\nThe answer.",
        b"<|channel|><|message|>\n<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>x",
        b"[THINK][/THINK]\n[THINK]a[/THINK]b",
    ]


def drawings() -> list[bytes]:
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return [
        f'{head}<image xlink:href="/etc/a.png"/><use href="#a"/><image href="data:image/png;base64,AA=="/></svg>'.encode(),
        f"{head}<style>@import url(x); a {{ fill: url(http://x) }}</style><rect style='fill:url(#g)'/></svg>".encode(),
        b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
        b'<?xml-stylesheet href="x"?><svg xml:base="http://x"><a href="x"/></svg>',
    ]


def names() -> list[bytes]:
    found = [
        "a\u202eb\u2066c\u2069",
        "\x1b[2J\r\n",
        "\u200b\ufeff\u2060",
        "\ud800x",
        "\u202a\u202b\u202c\u202c",
        "é👩\u200d👧",
    ]
    return [name.encode("utf-16-le", "surrogatepass") for name in found]


def memories() -> list[bytes]:
    unit = '<tu><prop type="x">y</prop>' + "".join(
        f'<tuv xml:lang="{code}"><seg>a<bpt i="1">b</bpt>c<ept i="1"/></seg></tuv>' for code in ("en", "de")
    )
    return [
        f'<?xml version="1.0"?><tmx version="1.4"><header srclang="en"/><body>{unit}</tu></body></tmx>'.encode(),
        b'<!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx><body/></tmx>',
    ]


def prompts() -> list[bytes]:
    listed = {"format": "fireside-prompts", "version": 1, "prompts": [{"name": "a", "text": "b {x}"}]}
    return [*_encode_all([listed]), b"---\nname: a\n---\ntext {{selection}}"]


def document(format_: str) -> list[bytes]:
    """Return small files of a format that is no archive."""
    mail = "From: a@b.c\r\nTo: d@e.f\r\nSubject: =?utf-8?q?h=C3=A4?=\r\nMIME-Version: 1.0\r\n"
    mixed = 'Content-Type: multipart/mixed; boundary="B"\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--B--\r\n'
    page = "<html><head><title>T</title></head><body><h1>H</h1><p>a<b>b</b></p><table><tr><td>c</table><pre>x</pre>"
    cells = [{"cell_type": "markdown", "source": ["# h\n"]}, {"cell_type": "code", "source": "x=1", "outputs": []}]
    made: dict[str, list[str | bytes]] = {
        "text": [WORDS, "a\r\n\r\nb\n", "ä".encode("cp1252"), WORDS.encode("utf-16")],
        "markdown": ["---\ntitle: a\n---\n# H\n\n- a\n- b\n\n| a | b |\n|-|-|\n| c | d |\n\n```\nx\n```\n", *texts()],
        "csv": ["a;b;c\n1;2;3\n", 'x,"y\n""z""",\r\n,,\r\n', "t\tu\n1\t2\n"],
        "html": [page, "<!doctype html><p title='a'>x<br>y<img alt='z'><script>s</script><a href=u>v</a>"],
        "mhtml": [mail + mixed],
        "email": [mail + mixed, mail + "\r\nplain\r\n-- \r\nsig"],
        "subtitles": ["1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>a</i>\r\n", "WEBVTT\n\n00:01.000 --> 00:02.000\nb\n"],
        "po": ['msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "a %s"\nmsgid_plural "b"\nmsgstr[0] ""\n'],
        "json": ['{"a": "b {x}", "c": ["d", {"e": "f\\u00e4"}]}', '{"@@locale": "en", "@a": {"x": 1}, "a": "b"}'],
        "yaml": ["a: b\nc:\n  - 'd'\n  - \"e\"\nf: |\n  g\n  h\n", "en:\n  a: &x b\n  c: *x\n"],
        "rtf": [r"{\rtf1\ansi{\fonttbl{\f0 A;}}\pard\b a\b0\par \'e4\u228?{\*\x y}\trowd\cellx1 c\cell\row}"],
        "latex": ["\\documentclass{a}\\begin{document}\\section{H}a \\emph{b} $c$ % d\n\\begin{itemize}\\item e\\end{itemize}\\end{document}"],
        "notebook": [json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})],
        "code": ["# c\ndef f(x):\n    'd'\n    return x\n", "/* a */ int main() { return 0; } // b\n"],
        "fb2": ['<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><body><title><p>T</p></title><section><p>a</p></section></body></FictionBook>'],
        "msg": [_saved("a.msg", lambda path: text_files.write_ole(path, text_files.msg_streams({"0037": "S", "1000": WORDS})))],
        "pdf": [pdf_pages([b"BT /F1 12 Tf 72 720 Td (Hello) Tj ET"])],
        "zipped": [_saved("a.zip", lambda path: office_files.write_zip(path, {"a.txt": WORDS, "b/c.md": "# x"}))],
    }  # fmt: skip
    return [text.encode() if isinstance(text, str) else text for text in made[format_]]


@cache
def archive(format_: str) -> bytes:
    """Return a small archive of a format."""
    run = (
        '<w:r><w:rPr><w:b/></w:rPr><w:t>bold</w:t></w:r><w:hyperlink r:id="r1"><w:r><w:t>link</w:t></w:r></w:hyperlink>'
    )
    body = (
        office_files.paragraph(WORDS, "Heading1") + f"<w:p>{run}</w:p><w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    )
    row = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1"><v>2</v></c><c r="C1"><f>A1</f></c></row>'
    table = '<table:table table:name="T"><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row></table:table>'
    text = f'<text:h text:outline-level="1">H</text:h><text:p>a<text:span>b</text:span><text:s/></text:p>{table}'
    chapter = f"<html xmlns='http://www.w3.org/1999/xhtml'><body><h1>H</h1><p>{WORDS}</p></body></html>"
    slide = office_files.slide_part(office_files.shape("T", placeholder="title") + office_files.shape("a", "b"))
    write: dict[str, Callable[[Path], object]] = {
        "docx": lambda path: office_files.write_docx(path, body),
        "odt": lambda path: office_files.write_odf(path, text),
        "epub": lambda path: web_files.write_epub(path, {"one.xhtml": chapter}),
        "xlsx": lambda path: text_files.write_xlsx(path, {"S": row}),
        "ods": lambda path: text_files.write_ods(path, table),
        "pptx": lambda path: office_files.write_pptx(path, {"slide1.xml": slide}),
    }
    return _saved(f"a.{format_}", write[format_])


def member(format_: str, name: str) -> list[bytes]:
    """Return a part of such an archive."""
    with zipfile.ZipFile(BytesIO(archive(format_))) as whole:
        return [whole.read(name)]
