"""Texts in many languages and encodings, for whatever has to find out which encoding a file is in."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

LANGUAGES = {
    "english": (
        "The kettle began to sing while rain ran down the window. Nobody had lit the fire yet, and the café’s old "
        "clock struck seven. “We should have left earlier,” said Zoë, and closed her book."
    ),
    "spanish": (
        "El niño llegó mañana tras mañana al jardín y contó los pájaros. ¿Cuántos había? Según su abuela, más de "
        "veinte. Después del almuerzo soñó con una montaña de azúcar y un río de limón, y rió."
    ),
    "german": (
        "Über den Dächern lag Schnee, und die Straßen waren weiß. Der Bäcker öffnete seine Tür früh, größere Körbe "
        "standen schon bereit. „Schöne Grüße“, rief er, und niemand hörte ihn außer dem Schäferhund."
    ),
    "french": (
        "L’été dernier, la forêt près du château sentait la résine. Où étaient passés les élèves ? Ils rêvaient déjà "
        "de la rentrée, là-bas, derrière la fenêtre où le maître avait accroché un tableau français."
    ),
    "polish": (
        "Wczoraj wieczorem łódka odpłynęła z małej przystani. Żaglówki stały cicho, a księżyc świecił nad jeziorem. "
        "Dziewczęta śpiewały pieśń o źródle, które nigdy nie wysycha, choć słońce grzeje mocno."
    ),
    "russian": (
        "Поезд пришёл на станцию рано утром, когда город ещё спал. Старый сторож открыл калитку и поздоровался с "
        "каждым пассажиром. Никто не спешил: снег падал медленно, и дорога домой казалась короткой."
    ),
    "ukrainian": (
        "Їжак прокинувся під старою яблунею і почув дощ. Ґанок був мокрий, а в хаті пахло свіжим хлібом. Бабуся "
        "розповіла, що її сусіди поїхали до Києва, і всі довго сміялися з тієї історії."
    ),
    "greek": (
        "Το καΐκι γύρισε στο λιμάνι πριν βραδιάσει. Οι ψαράδες μάζεψαν τα δίχτυα τους και κάθισαν δίπλα στη θάλασσα. "
        "Η γιαγιά έφερε ψωμί, ελιές και λίγο κρασί, κι άρχισε να λέει παλιές ιστορίες."
    ),
    "turkish": (
        "Küçük kız çarşıdan ağır bir sepetle döndü. İçinde üzüm, şeftali ve taze ekmek vardı. Dışarıda yağmur "
        "başlamıştı, ama soğuk değildi; annesi çayı hazırlamış, ışığı yakmıştı."
    ),
    "arabic": (
        "عاد الصياد إلى قريته عند غروب الشمس وكان البحر هادئا. جلس الأطفال حوله وسألوه عن السفن البعيدة. قال لهم إن "
        "الريح تحمل أخبار المدن، وإن من يصغي جيدا يعرف متى يأتي المطر."
    ),
    "hebrew": (
        "הזקן פתח את החלון והקשיב לגשם. הילדים חזרו מבית הספר וצחקו בדרך הביתה. על השולחן עמד לחם חם, ואיש לא זכר "
        "מתי התחיל החורף. הלילה ירד לאט על העיר השקטה."
    ),
    "thai": (
        "เช้าวันนี้ฝนตกหนักมาก แม่จึงอยู่บ้านและทำอาหารให้ทุกคน เด็กๆ นั่งอ่านหนังสือข้างหน้าต่าง ส่วนคุณตาเล่าเรื่องเก่าให้ฟัง "
        "ตอนเย็นฟ้าเปิด พวกเราเดินไปตลาดด้วยกัน"
    ),
    "japanese": (
        "今日は朝から雨が降っていたので、家で本を読みました。母は台所でスープを作り、父は古い時計を直しています。"
        "夕方になると空が明るくなり、子どもたちは公園へ走って行きました。明日はきっと晴れるでしょう。"
    ),
    "simplified chinese": (
        "今天早上下了大雨，我们都留在家里看书。妈妈在厨房里做汤，爸爸修好了那只旧钟。到了傍晚，天空慢慢变亮，"
        "孩子们跑到公园去玩。大家都说明天一定是个好天气，可以去山上看风景。"
    ),
    "traditional chinese": (
        "今天早上下了大雨，我們都留在家裡看書。媽媽在廚房裡做湯，爸爸修好了那隻舊鐘。到了傍晚，天空慢慢變亮，"
        "孩子們跑到公園去玩。大家都說明天一定是個好天氣，可以去山上看風景。"
    ),
    "korean": (
        "오늘 아침에는 비가 많이 와서 집에서 책을 읽었다. 어머니는 부엌에서 국을 끓이고 아버지는 낡은 시계를 고쳤다. "
        "저녁이 되자 하늘이 밝아지고 아이들은 공원으로 뛰어갔다. 내일은 날씨가 좋을 것이다."
    ),
}

WIDE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
CODE_PAGES = {
    "english": ("cp1252",),
    "spanish": ("cp1252", "cp850"),
    "german": ("cp1252",),
    "french": ("cp1252",),
    "polish": ("cp1250", "iso8859-2"),
    "russian": ("cp1251", "koi8-r", "cp866"),
    "ukrainian": ("cp1251",),
    "greek": ("cp1253",),
    "turkish": ("cp1254",),
    "arabic": ("cp1256",),
    "hebrew": ("cp1255",),
    "thai": ("cp874",),
    "japanese": ("shift_jis", "euc_jp", "iso2022_jp"),
    "simplified chinese": ("gb18030",),
    "traditional chinese": ("big5",),
    "korean": ("euc_kr",),
}
"""What each language was written in before UTF-8."""


def encodings_of(language: str) -> tuple[str, ...]:
    """Every encoding a text of this language may come in."""
    return (*CODE_PAGES[language], *WIDE)


def in_encoding(language: str, encoding: str, least_chars: int = 0) -> tuple[str, bytes]:
    """A text of at least so many characters, and its bytes. What the encoding lacks is not in the text."""
    paragraph = LANGUAGES[language] + "\n\n"
    text = paragraph * (1 + least_chars // len(paragraph))
    data = text.encode(encoding, "ignore")
    return data.decode(encoding).removeprefix("\ufeff"), data


OOXML = "http://schemas.openxmlformats.org"
_RELATED = f"{OOXML}/officeDocument/2006/relationships"
_SHEETS = f"{OOXML}/spreadsheetml/2006/main"


def write_xlsx(path: Path, sheets: dict[str, str], *, hidden: str = "", from_1904: bool = False, **parts: str) -> None:
    """A workbook of `sheets`: the rows' XML by name. Styles 1 to 4: a date, a date with time, a duration, a percentage.

    `parts` are further members; `strings` is the content of the shared strings.
    """
    states = {hidden: ' state="hidden"'}
    declared = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="s{number}"{states.get(name, "")}/>'
        for number, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="s{number}" Type="{_RELATED}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    others = "".join(
        f'<Relationship Id="{name}" Type="{_RELATED}/{name}" Target="{name}.xml"/>'
        for name in ("styles", "sharedStrings")
    )
    formats = '<numFmt numFmtId="164" formatCode="dd/mm/yyyy &quot;h&quot;"/>'
    cell_formats = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 164, 22, 46, 9))
    members = {
        "[Content_Types].xml": f'<Types xmlns="{OOXML}/package/2006/content-types"/>',
        "_rels/.rels": _relationships(
            f'<Relationship Id="a" Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_RELATED}"><workbookPr date1904="{int(from_1904)}"/>'
        f"<sheets>{declared}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relationships(related + others),
        "xl/styles.xml": f'<styleSheet xmlns="{_SHEETS}"><numFmts>{formats}</numFmts>'
        f"<cellXfs>{cell_formats}</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{_SHEETS}">{parts.pop("strings", "")}</sst>',
    }
    for number, rows in enumerate(sheets.values(), 1):
        members[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_SHEETS}"><sheetData>{rows}</sheetData></worksheet>'
        )
    write_zip(path, members | parts)


def _relationships(inside: str) -> str:
    return f'<Relationships xmlns="{OOXML}/package/2006/relationships">{inside}</Relationships>'


def write_ods(path: Path, tables: str) -> None:
    """A spreadsheet in the Open Document Format, of the XML of its tables."""
    namespaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    members = {
        "mimetype": kind,
        "META-INF/manifest.xml": '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<m:file-entry m:full-path="/" m:media-type="{kind}"/></m:manifest>',
        "content.xml": f"<office:document-content {namespaces}>{body}</office:document-content>",
    }
    write_zip(path, members)


def write_zip(path: Path, members: dict[str, str]) -> None:
    """An archive of texts by name, in their order."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)


_SECTOR, _MINI, _MINI_LIMIT = 512, 64, 4096
_FREE, _END, _OF_TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def write_ole(path: Path, streams: dict[str, bytes]) -> None:
    """An OLE file of `streams`, their names with slashes for the folders they are in (MS-CFB, version 3)."""
    names = [""]
    for name in streams:
        steps = name.split("/")
        names += [each for end in range(1, len(steps) + 1) if (each := "/".join(steps[:end])) not in names]
    sectors: list[bytes] = []
    chain: list[int] = []
    minis, mini_chain = bytearray(), []

    def put(data: bytes) -> int:
        start, count = len(sectors), -(-len(data) // _SECTOR)
        sectors.extend(data[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(data), _SECTOR))
        chain.extend([*range(start + 1, start + count), _END] if count else [])
        return start if count else _END

    starts: dict[str, int] = {}
    for name, data in streams.items():
        if len(data) >= _MINI_LIMIT:
            starts[name] = put(data)
        else:
            first, count = len(mini_chain), -(-len(data) // _MINI)
            mini_chain += [*range(first + 1, first + count), _END] if count else []
            minis += data.ljust(count * _MINI, b"\0")
            starts[name] = first if count else _END
    root_start = put(bytes(minis))
    mini_table = put(
        struct.pack(f"<{len(mini_chain)}I", *mini_chain).ljust(-(-len(mini_chain) // 128) * _SECTOR, b"\xff")
    )
    entries = b"".join(_ole_entry(name, names, streams, starts, (root_start, len(minis))) for name in names)
    folder = put(entries.ljust(-(-len(entries) // _SECTOR) * _SECTOR, b"\0"))
    tables = 1
    while tables * 128 < len(chain) + tables:
        tables += 1
    table_start = len(chain)
    chain += [_OF_TABLE] * tables
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(tables * _SECTOR, b"\xff")
    places = [*range(table_start, table_start + tables)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0")
    header += struct.pack(
        "<HHHHH6xIIIIIIIIII",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        tables,
        folder,
        0,
        _MINI_LIMIT,
        mini_table,
        -(-len(mini_chain) // 128),
        _END,
        0,
        places[0],
    )
    header += struct.pack(f"<{tables - 1}I", *places[1:])
    path.write_bytes(header.ljust(_SECTOR, b"\xff") + b"".join(sectors) + table)


def _ole_entry(
    name: str, names: list[str], streams: dict[str, bytes], starts: dict[str, int], root: tuple[int, int]
) -> bytes:
    """A directory entry; the entries of a folder are a chain of right siblings, which is a tree, if no good one."""
    parent, _, own = name.rpartition("/")
    siblings = [each for each in names if each and each.rpartition("/")[0] == parent] if name else []
    later = siblings[siblings.index(name) + 1 :] if name else []
    inside = [each for each in names if each and each.rpartition("/")[0] == name]
    right = names.index(later[0]) if later else _FREE
    child = names.index(inside[0]) if inside and name not in streams else _FREE
    title = (own or "Root Entry").encode("utf-16-le")
    kind, start, size = (2, starts[name], len(streams[name])) if name in streams else (1, 0, 0)
    if not name:
        kind, start, size = 5, *root
    return struct.pack("<64sHBBIII36xIQ", title, len(title) + 2, kind, 1, _FREE, right, child, start, size)


def msg_streams(
    texts: dict[str, str | bytes], folder: str = "", numbers: dict[int, int] | None = None, header_bytes: int = 32
) -> dict[str, bytes]:
    """The streams of an Outlook message: `str` values in Unicode, `bytes` as they are, by their property's number.

    A number of eight digits has its type in it. `numbers` are the properties of fixed size.
    """
    streams = {}
    fixed = b"\0" * header_bytes
    for number, value in (numbers or {}).items():
        fixed += struct.pack("<HHIq", 0x0040 if number in (0x0039, 0x0E06) else 0x0003, number, 6, value)
    streams[f"{folder}__properties_version1.0"] = fixed
    for name, text in texts.items():
        data = text.encode("utf-16-le") if isinstance(text, str) else text
        streams[f"{folder}__substg1.0_{name if len(name) == 8 else name + '001F'}"] = data
    return streams
