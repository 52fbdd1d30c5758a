"""A PDF is never more than it is held for: what is unclear in it has no bound at all."""

from __future__ import annotations

import base64
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from fpdf import FPDF
from fpdf.enums import AccessPermission
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.responses import Responses
from adapters.wires.pdf import Effort, PdfSize, measure_pdf
from adapters.wires.pdf.file import MAX_INFLATED_BYTES
from adapters.wires.pdf.syntax import MAX_EFFORT
from tests.unit.wires.asking import Asking
from tests.unit.wires.pdfs import Pdf, page, report, shows, tree, updated

FONT = 3
CONTENT = 4


def measured(data: bytes) -> PdfSize | None:
    return measure_pdf(data, Effort())


def size(data: bytes) -> PdfSize:
    found = measured(data)
    assert found is not None
    return found


def length(text: str) -> int:
    return len(text.encode())


letters = st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=60)


@settings(max_examples=60)
@given(texts=st.lists(letters, min_size=1, max_size=6), data=st.data())
def test_a_report_has_no_more_pages_and_no_more_text_than_are_counted(
    texts: list[str], data: st.DataObject
) -> None:
    draw = data.draw
    pdf = report(texts, count=draw(st.integers(-3, 8)))
    written = pdf.packed(1) if draw(st.booleans()) else pdf.plainly(1)
    pages = len(texts)
    if draw(st.booleans()):
        # The tree anew: the same page several times, which is one more page each.
        kids = draw(st.lists(st.sampled_from(range(5, 4 + 2 * pages, 2)), max_size=9))
        written = updated(pdf.plainly(1), 2, tree(kids, 1))
        texts = [texts[(kid - 5) // 2] for kid in kids] or [""]

    found = size(written)

    assert found.pages >= len(texts)
    assert found.text_bytes >= sum(map(length, texts))


@settings(max_examples=20)
@given(depth=st.integers(1, 5), width=st.integers(1, 4))
def test_a_tree_that_names_its_branches_again_has_all_their_pages(depth: int, width: int) -> None:
    pdf = report(["Twelve words."])
    kid = 5
    for _ in range(depth):
        kid = pdf.add(tree([kid] * width, 1))
    pdf.replace(2, tree([kid], 1))

    found = size(pdf.packed(1))

    assert found.pages >= width**depth
    assert found.text_bytes >= width**depth * length("Twelve words.")


@settings(max_examples=20)
@given(depth=st.integers(0, 4), width=st.integers(1, 4), pages=st.integers(1, 3))
def test_a_drawing_that_draws_drawings_shows_all_their_text(
    depth: int, width: int, pages: int
) -> None:
    pdf = report([""])
    drawn = pdf.stream(shows("Sold out."), "/Type /XObject /Subtype /Form ")
    for _ in range(depth):
        resources = f"/Resources << /XObject << /X {drawn} 0 R >> >> "
        drawn = pdf.stream(b"/X Do\n" * width, f"/Type /XObject /Subtype /Form {resources}")
    content = pdf.stream(b"/X Do " * width)
    resources = f"/Resources << /XObject << /X {drawn} 0 R >> >> "
    kid = pdf.add(f"<< /Type /Page /Parent 2 0 R /Contents {content} 0 R {resources}>>")
    pdf.replace(2, tree([kid] * pages, pages))

    found = size(pdf.plainly(1))

    assert found.text_bytes >= pages * width ** (depth + 1) * length("Sold out.")


def test_a_drawing_of_no_known_kind_may_be_drawn() -> None:
    pdf = report([""])
    drawn = pdf.stream(shows("Sold out."), "/Type /XObject /Subtype /Drawing ")
    content = pdf.stream(b"/X Do")
    resources = f"/Resources << /XObject << /X {drawn} 0 R >> >>"
    kid = pdf.add(f"<< /Type /Page /Contents {content} 0 R {resources} >>")
    pdf.replace(2, tree([kid], 1))

    assert size(pdf.plainly(1)).text_bytes >= length("Sold out.") * 3


def test_a_number_of_pages_that_is_claimed_counts() -> None:
    assert size(report(["a"], count=400).plainly(1)).pages == 400


def test_pages_that_no_tree_names_count_too() -> None:
    pdf = report(["One.", "Two.", "Three."])
    pdf.replace(2, tree([5], 1))

    found = size(pdf.plainly(1))

    assert found.pages == 3
    assert found.text_bytes >= length("One.Two.Three.")


def test_what_branches_claim_adds_up() -> None:
    pdf = report(["a"])
    branch = pdf.add(tree([5], 30))
    pdf.replace(2, tree([branch] * 4, 1))

    assert size(pdf.plainly(1)).pages == 120

    pdf.replace(branch, "<< /Type /Pages /Count 30 >>")

    assert size(pdf.plainly(1)).pages == 120


def test_a_letter_that_stands_for_a_sentence_is_one() -> None:
    pdf = report(["a" * 100])
    sentence = "All rights reserved. "
    mapped = sentence.encode("utf-16-be").hex()
    text = f"1 beginbfchar\n<61> <{mapped}>\nendbfchar".encode()
    pdf.replace(FONT, f"<< /Type /Font /Subtype /Type1 /ToUnicode {pdf.stream(text)} 0 R >>")

    assert size(pdf.plainly(1)).text_bytes >= 100 * length(sentence)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("r_e_s_e_r_v_e_d", "reserved"),
        ("uni0072006500730065007200760065", "reserve"),
        # As pypdf shows what it does not know.
        ("allrightsreserved", "/allrightsreserved"),
    ],
)
def test_a_letter_whose_name_is_a_word_is_one(name: str, shown: str) -> None:
    pdf = report(["a" * 100])
    named = f"/Encoding << /Differences [97 /{name}] >>"
    pdf.replace(FONT, f"<< /Type /Font /Subtype /Type1 /BaseFont /X {named} >>")

    assert size(pdf.plainly(1)).text_bytes >= 100 * length(shown)


@pytest.mark.parametrize("zeros", [20, 5_000])
def test_a_number_of_pages_beyond_all_sense_is_no_bound(zeros: int) -> None:
    pdf = report(["a"])
    pdf.replace(2, f"<< /Type /Pages /Kids [5 0 R] /Count 1{'0' * zeros} >>")

    assert measured(pdf.plainly(1)) is None


def test_a_map_that_makes_a_book_of_a_letter_is_not_read() -> None:
    pdf = report(["a"])
    pdf.stream(b"beginbfchar <01> <" + b"00E9" * 300 + b"> endbfchar")

    assert measured(pdf.plainly(1)) is None


def test_what_notes_say_counts_on_each_page_they_are_on() -> None:
    pdf = report([""])
    note = pdf.add("<< /Type /Annot /Subtype /Text /Contents (Please pay by Friday.) >>")
    kid = page(pdf, FONT, CONTENT, f"/Annots [{note} 0 R]")
    pdf.replace(2, tree([kid] * 7, 7))

    assert size(pdf.plainly(1)).text_bytes >= 7 * length("Please pay by Friday.")


def test_codes_of_two_bytes_count_once_where_all_fonts_have_them() -> None:
    def written(fonts: str) -> PdfSize:
        pdf = report([""])
        pdf.replace(FONT, fonts)
        wide = pdf.stream(b"BT <" + b"0041" * 300 + b"> Tj ET")
        pdf.replace(2, tree([page(pdf, FONT, wide)], 1))
        return size(pdf.plainly(1))

    wide = written("<< /Type /Font /Subtype /Type0 /Encoding /Identity-H >>")
    narrow = written("<< /Type /Font /Subtype /TrueType >>")

    assert 300 * 3 <= wide.text_bytes < narrow.text_bytes
    assert narrow.text_bytes >= 600 * 3


def put_in(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


def hidden_map(entries: str) -> Pdf:
    pdf = report(["aaa"])
    hidden = pdf.stream(b"1 beginbfchar <61> <" + b"0061" * 900 + b"> endbfchar", entries)
    pdf.replace(FONT, f"<< /Type /Font /Subtype /Type1 /ToUnicode {hidden} 0 R >>")
    return pdf


def with_content(*parts: bytes, entries: str = "") -> bytes:
    pdf = report([""])
    contents = [pdf.stream(part, entries) for part in parts]
    listed = " ".join(f"{content} 0 R" for content in contents)
    kid = pdf.add(f"<< /Type /Page /Contents [{listed}] >>")
    pdf.replace(2, tree([kid], 1))
    return pdf.plainly(1)


def with_catalogue(entries: str) -> bytes:
    pdf = report(["a"])
    pdf.replace(1, f"<< /Type /Catalog /Pages 2 0 R {entries} >>")
    return pdf.plainly(1)


def looped() -> bytes:
    pdf = report(["a"])
    pdf.replace(2, tree([2, 5], 1))
    return pdf.plainly(1)


def other_reading() -> bytes:
    pdf = report(["a"])
    said = pdf.add("<< /ActualText (All rights reserved.) /S /Span >>")
    properties = f"/Resources << /Properties << /P {said} 0 R >> >>"
    kid = pdf.add(f"<< /Type /Page /Contents 4 0 R {properties} >>")
    pdf.replace(2, tree([kid], 1))
    return pdf.plainly(1)


def drawn_note() -> bytes:
    pdf = report(["a"])
    look = pdf.stream(shows("Paid."), "/Subtype /Image ")
    note = pdf.add(f"<< /Subtype /Stamp /AP << /N {look} 0 R >> >>")
    pdf.replace(2, tree([page(pdf, FONT, CONTENT, f"/Annots [{note} 0 R]")], 1))
    return pdf.plainly(1)


PLAIN = report(["Invoice 7, KES 1,250.00"]).plainly(1)
SECOND = b"9 0 obj << /Type /Pages /Kids [5 0 R 5 0 R] >> endobj"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        PLAIN[:-200],
        b"<html>" + PLAIN,
        with_content(shows("a"), entries="/Note (PK\x05\x06) "),
        PLAIN + b"\nand more\n",
        report(["a"]).plainly(1, trailer="/Encrypt << /Filter /Standard >> "),
        with_catalogue("/AcroForm << /Fields [] >>"),
        with_catalogue("/Names << /EmbeddedFiles << /Names [] >> >>"),
        with_catalogue("/Collection << >>"),
        # Two values under one name, once in other letters.
        with_catalogue("/Pages 5 0 R"),
        with_catalogue("/P#61ges 5 0 R"),
        # An object that some readers find: in a stream, in a string, by the table of places.
        with_content(b"", entries="/Note (\n9 0 obj << >> endobj) "),
        put_in(b"5 0 obj", b"9 0 obj")(PLAIN),
        put_in(b" n \n0000000", b" n \n0000001")(PLAIN),
        with_content(b"q Q", entries="/F (elsewhere) "),
        # As it stands it is "q Q", and in three colours something else.
        with_content(b"\0q\0 \0Q", entries="/DecodeParms << /Predictor 15 /Colors 3 >> "),
        put_in(b"/Filter /FlateDecode", b"/Filter /LZWDecode  ")(PLAIN),
        put_in(b"/Length ", b"/Length 1")(PLAIN),
        # What one part of a page leaves open, the next is inside of.
        with_content(b"(", b"many words in no brackets", b") Tj"),
        with_content(b"(", b"many words in no brackets"),
        with_content(b"% (", b"(a) Tj"),
        with_content(b"BI /W 1 ID (", b"EI"),
        with_content(b"<", b"616161"),
        with_content(shows("a"), entries="/Subtype /Image "),
        hidden_map("/Subtype /Image ").plainly(1),
        looped(),
        other_reading(),
        drawn_note(),
    ],
)
def test_what_readers_may_read_in_several_ways_has_no_size(data: bytes) -> None:
    assert measured(data) is None


def test_an_object_in_the_bytes_of_a_stream_is_one_that_may_be_found() -> None:
    pdf = report(["a"])
    pdf.stream(b"\n" + SECOND + b"\n", packed=False)

    assert measured(pdf.plainly(1)) is None


def test_packed_objects_must_be_where_the_table_says() -> None:
    pdf = report(["a"])
    pdf.add("<< /Note (b) >>")
    data = pdf.packed(1)

    assert measured(data) is not None
    # The pack under another number: some readers would not find its objects, or others.
    assert measured(data.replace(b"%d 0 obj" % 7, b"%d 0 obj" % 9, 1)) is None
    assert measured(pdf.packed(1, mixed_up=True)) is None


def test_a_stream_that_is_longer_than_any_number_of_bytes_has_no_size() -> None:
    assert measured(PLAIN.replace(b"/Length ", b"/Length " + b"9" * 30, 1)) is None


def test_a_stream_that_breaks_off_has_no_end() -> None:
    pdf = report([""])
    broken = zlib.compress(shows("a" * 500))[:-6]
    head = b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(broken)
    kid = page(pdf, FONT, pdf.add(head + broken + b"\nendstream"))
    pdf.replace(2, tree([kid], 1))

    assert measured(pdf.plainly(1)) is None


@pytest.mark.parametrize(
    "content",
    [b"((a (b (c) d) e) f) Tj", b"% (\n(real) Tj", b"BI /W 1 ID ) EI (real) Tj", b"(real", b"<61"],
)
def test_a_page_whose_strings_are_unclear_may_be_text_altogether(content: bytes) -> None:
    pdf = report([""])
    pdf.replace(2, tree([page(pdf, FONT, pdf.stream(content))], 1))

    assert size(pdf.plainly(1)).text_bytes >= len(content) * 3


def printed(*, pages: int, encrypted: bool = False) -> bytes:
    document = FPDF()
    document.core_fonts_encoding = "windows-1252"
    if encrypted:
        document.set_encryption("owner", permissions=AccessPermission.all())
    document.set_font("Helvetica", size=11)
    for number in range(pages):
        document.add_page()
        document.multi_cell(0, 5, f"Page {number}. " + "Grew by twelve per cent at last. " * 60)
    return bytes(document.output())


def test_a_document_of_a_library_has_its_size() -> None:
    found = size(printed(pages=10))

    assert found.pages == 10
    assert 10 * 60 * 33 <= found.text_bytes < 10 * 60 * 33 * 5
    assert measured(printed(pages=1, encrypted=True)) is None


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_make_it_fail(data: st.DataObject) -> None:
    whole = report(["a", "b"]).packed(1) if data.draw(st.booleans()) else PLAIN
    at = data.draw(st.integers(0, len(whole)))
    piece = data.draw(
        st.sampled_from([b"<<", b">>", b"[", b"(", b"obj", b"9" * 30, b"/Kids", b" 0 R"])
        | st.binary(max_size=8)
    )

    measured(whole[:at] + piece + whole[at + data.draw(st.integers(0, 12)) :])
    measured(b"%PDF-" + data.draw(st.binary(max_size=60)))


def packed_at_one_place(value: bytes, *, count: int) -> bytes:
    """Return a small file in which many packed objects are one value, of any length."""
    pdf = report(["a"])
    numbers = b"".join(b"%d 0 " % (100 + each) for each in range(count))
    pdf.stream(numbers + value, f"/Type /ObjStm /N {count} /First {len(numbers)} ")
    return pdf.plainly(1)


def with_notes(*objects: str, count: int) -> bytes:
    """Return a file with many notes on its page, each of them the first of the objects."""
    pdf = report(["a"])
    first = len(pdf.objects) + 1
    for each in objects:
        pdf.add(each.replace("NEXT", f"{len(pdf.objects) + 2} 0 R"))
    notes = " ".join([f"{first} 0 R"] * count)
    pdf.replace(5, f"<< /Type /Page /Parent 2 0 R /Contents {CONTENT} 0 R /Annots [{notes}] >>")
    return pdf.plainly(1)


LONG = 100_000
MANY = 200


def test_few_objects_at_one_place_and_few_notes_are_read() -> None:
    assert size(packed_at_one_place(b"(abc)", count=MANY)).text_bytes > 3 * MANY
    assert size(with_notes("<< /Contents NEXT >>", "[(abc)]", count=MANY)).text_bytes > 3 * MANY


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 " + b"(" * 1_000_000,
        b"%PDF-1.7 1 0 obj " + b"[" * 1_000_000,
        b"%PDF-1.7 1 0 obj [" + b"1 " * 500_000,
        b"%PDF-1.7 xref\n" + b"0 0\n" * 500_000,
        b"%PDF-1.7" + b"%\n" * 500_000,
        with_content(bytes(30_000_000)),
        with_content(b"(a)" * 1_000_000),
        with_content(b"(\\" * 1_000_000),
        packed_at_one_place(b" " * LONG + b"1", count=MANY),
        packed_at_one_place(b"/" + b"a" * LONG, count=MANY),
        packed_at_one_place(b"<" + b"a" * LONG + b">", count=MANY),
        packed_at_one_place(b"(" + b"a" * LONG + b")", count=MANY),
        with_notes("<< /Contents NEXT >>", "[" + "1 " * 5_000 + "]", count=MANY),
        with_notes("<< /Contents NEXT >>", *["NEXT"] * 2_000, "()", count=MANY),
    ],
    ids=[
        *("strings", "lists", "numbers", "tables", "comments", "zeros", "texts", "escapes"),
        *("same spaces", "same name", "same digits", "same string", "same list", "same way"),
    ],
)
def test_a_file_that_would_keep_us_busy_is_given_up(data: bytes) -> None:
    assert measured(data) is None


def test_a_small_file_takes_no_room_for_all_that_it_unpacks_to() -> None:
    data = with_content(bytes(30_000_000))

    tracemalloc.start()
    try:
        assert measured(data) is None
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(data) < 100_000
    assert most < 3 * MAX_INFLATED_BYTES


def test_the_effort_is_for_all_documents_of_a_request() -> None:
    effort = Effort()
    data = printed(pages=3)

    measure_pdf(data, effort)
    spent = MAX_EFFORT - effort.left

    assert spent > 0
    assert measure_pdf(data, Effort(left=spent)) is not None
    assert measure_pdf(data, Effort(left=spent - 1)) is None


chat = Asking(ChatCompletions(), {})
responses = Asking(Responses(), {})
messages = Asking(Messages(), {"max_tokens": 1})


def asked(wire: str, data: bytes, **names: str) -> int | None:
    letters = base64.b64encode(data).decode()
    url = f"data:application/pdf;base64,{letters}"
    if wire == "chat":
        part: dict[str, object] = {"type": "file", "file": {"file_data": url, **names}}
        return chat.parse(messages=[{"role": "user", "content": [part]}]).prompt_bound
    if wire == "responses":
        part = {"type": "input_file", "file_data": url, **names}
        return responses.parse(input=[{"role": "user", "content": [part]}]).prompt_bound
    source = {"type": "base64", "media_type": "application/pdf", "data": letters}
    part = {"type": "document", "source": source}
    return messages.parse(messages=[{"role": "user", "content": [part]}]).prompt_bound


@pytest.mark.parametrize("wire", ["chat", "responses", "messages"])
def test_a_document_is_held_by_its_pages(wire: str) -> None:
    one, ten = asked(wire, printed(pages=1)), asked(wire, printed(pages=10))

    assert one is not None
    assert ten is not None
    assert 48_169 < one < 60_000
    assert 9 * 48_169 < ten - one < 9 * 60_000
    assert asked(wire, b"nonsense") is None


@pytest.mark.parametrize("wire", ["chat", "responses"])
def test_a_document_is_what_its_name_says(wire: str) -> None:
    assert asked(wire, PLAIN, filename="Invoice.PDF") is not None
    # Some providers unpack it by its name.
    assert asked(wire, PLAIN, filename="invoice.docx") is None


def test_one_document_without_a_bound_leaves_the_request_without() -> None:
    url = f"data:application/pdf;base64,{base64.b64encode(PLAIN).decode()}"
    parts = [
        {"type": "file", "file": {"file_data": each}}
        for each in ("data:application/pdf;base64,JVBERi0=", url)
    ]

    assert chat.parse(messages=[{"role": "user", "content": parts}]).prompt_bound is None
