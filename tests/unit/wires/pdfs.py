"""PDF files made by hand: plain ones, and such as lie about what is in them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from struct import pack

Fields = dict[str, str]


@dataclass
class Pdf:
    """A file whose objects are added one by one.

    Attributes:
        head: What stands before the first object.
    """

    head: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    objects: list[bytes] = field(default_factory=list)

    def add(self, body: str | bytes) -> int:
        """Add an object, and return its number."""
        self.objects.append(body.encode() if isinstance(body, str) else body)
        return len(self.objects)

    def replace(self, number: int, body: str) -> None:
        """Set an object whose number had to be known earlier."""
        self.objects[number - 1] = body.encode()

    def stream(self, data: bytes, entries: str = "", *, packed: bool = True) -> int:
        """Add a stream."""
        filters = "/Filter /FlateDecode " if packed else ""
        data = zlib.compress(data) if packed else data
        head = f"<< /Length {len(data)} {filters}{entries}>>\nstream\n".encode()
        return self.add(head + data + b"\nendstream")

    def plainly(self, root: int, *, trailer: str = "") -> bytes:
        """Return the file with a table of places."""
        out = bytearray(self.head)
        places = []
        for number, body in enumerate(self.objects, 1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
        for place in places:
            out += b"%010d 00000 n \n" % place
        out += f"trailer\n<< /Size {len(places) + 1} /Root {root} 0 R {trailer}>>\n".encode()
        return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)

    def packed(self, root: int, *, mixed_up: bool = False) -> bytes:
        """Return the file with all that is no stream packed into one, as PDF 1.5 has it.

        Args:
            root: The number of the catalogue.
            mixed_up: Whether its table of places takes one object for another.
        """
        inner = {n: body for n, body in enumerate(self.objects, 1) if b"\nstream\n" not in body}
        numbers, bodies = "", b""
        for number, body in inner.items():
            numbers += f"{number} {len(bodies)} "
            bodies += body + b"\n"
        pack_number, table_number = len(self.objects) + 1, len(self.objects) + 2
        packing = zlib.compress(numbers.encode() + bodies)
        head = f"/Type /ObjStm /N {len(inner)} /First {len(numbers)} /Filter /FlateDecode"
        outer = {n: body for n, body in enumerate(self.objects, 1) if n not in inner}
        outer[pack_number] = (
            f"<< {head} /Length {len(packing)} >>\nstream\n".encode() + packing + b"\nendstream"
        )
        out = bytearray(self.head)
        rows = {0: (0, 0, 255)}
        for number, body in outer.items():
            rows[number] = (1, len(out), 0)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        numbers_there = reversed(inner) if mixed_up else inner
        rows |= {number: (2, pack_number, at) for at, number in enumerate(numbers_there)}
        rows[table_number] = (1, len(out), 0)
        table = zlib.compress(_up(pack(">BIB", *rows[number]) for number in sorted(rows)))
        start = len(out)
        out += (
            f"{table_number} 0 obj\n<< /Type /XRef /W [1 4 1] /Size {table_number + 1} /Root {root}"
            f" 0 R /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 6 >> /Length"
            f" {len(table)} >>\nstream\n"
        ).encode()
        out += table + b"\nendstream\nendobj\n"
        return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def _up(rows: object) -> bytes:
    above, out = bytes(6), b""
    for row in rows:  # type: ignore[attr-defined]
        out += b"\2" + bytes((x - y) & 255 for x, y in zip(row, above, strict=True))
        above = row
    return out


def updated(data: bytes, number: int, body: str) -> bytes:
    """Return a file with one object written anew behind its end."""
    place = len(data)
    data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(data)
    data += f"xref\n{number} 1\n{place:010d} 00000 n \n".encode()
    return data + f"trailer\n<< /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()


def shows(text: str) -> bytes:
    """Return instructions that show a text."""
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /F1 11 Tf 72 720 Td ({escaped}) Tj ET\n".encode("cp1252")


def report(texts: list[str], *, count: int | None = None) -> Pdf:
    """Return a file with a page for each text; its catalogue is object 1, its tree object 2."""
    pdf = Pdf()
    pdf.add("<< /Type /Catalog /Pages 2 0 R >>")
    pdf.add("")
    font = pdf.add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = [page(pdf, font, pdf.stream(shows(text))) for text in texts]
    pdf.replace(2, tree(kids, len(kids) if count is None else count))
    return pdf


def page(pdf: Pdf, font: int, content: int, entries: str = "") -> int:
    """Add a page."""
    return pdf.add(
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {content} 0 R"
        f" /Resources << /Font << /F1 {font} 0 R >> >> {entries}>>"
    )


def tree(kids: list[int], count: int) -> str:
    """Return a node of the tree of pages."""
    return f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {count} >>"
