"""Packed HR files: unpacked by their content and within bounds, or refused with the reason."""

from __future__ import annotations

import bz2
import gzip
import io
import tracemalloc
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import HrFileError
from shared.inbound.feeds.file_layout import FileLayout
from shared.inbound.reading.archive import opened
from shared.inbound.reading.hr_file import HrFile
from tests.unit.builders import PROPERTY, pieces

TEXT = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(2, 50_000))
CHUNKS = pytest.mark.parametrize("chunk", [1000, 65_536, 1 << 22])


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


def lines(content: bytes, chunk: int = 1 << 16, **layout: Any) -> int:
    last = 0
    with HrFile(pieces(content, chunk), FileLayout.model_validate(layout)) as hr_file:
        for row in hr_file.rows():
            last = row.line
    return last


def unpacked(packed: bytes, layout: FileLayout) -> int:
    """How many bytes come out."""
    with opened([packed], layout) as content:
        return sum(map(len, content))


def refusal(content: bytes, **layout: Any) -> str:
    with pytest.raises(HrFileError) as refused:
        lines(content, **layout)
    assert refused.value.reason.advice
    return refused.value.reason.code


@CHUNKS
@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(TEXT),
        gzip.compress(TEXT[:1000]) + gzip.compress(b"") + gzip.compress(TEXT[1000:]) + b"\0" * 600,
        zipped(("workers.csv", TEXT)),
        zipped(("out/workers.csv", TEXT), method=zipfile.ZIP_STORED),
        zipped(("out/", b""), ("out/workers.csv", TEXT), ("__MACOSX/._workers.csv", b"\0")),
    ],
    ids=["gzip", "gzip in members", "zip", "zip without compression", "zip with folders"],
)
def test_a_packed_file_is_read_by_its_content(packed: bytes, chunk: int):
    assert lines(packed, chunk) == 49_999


def test_the_one_file_that_is_meant_is_read():
    packed = zipped(("readme.txt", b"x"), ("workers-1.csv", b"a,b\n1,2\n"))
    assert refusal(packed) == "archiveMember"
    assert lines(packed, member="workers*.csv") == 2
    assert refusal(packed, member="*") == "archiveMember"
    assert refusal(packed, member="staff*.csv") == "archiveMember"


def encrypted(content: bytes) -> bytes:
    """As if encrypted: the flag is in the local header and in the directory."""
    made = bytearray(zipped(("workers.csv", content)))
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BAD = {
    "a gzip file that was cut": (gzip.compress(TEXT)[:-9], "damagedArchive"),
    "a gzip file that ends in its checksum": (gzip.compress(TEXT)[:-1], "damagedArchive"),
    "a damaged gzip file": (damaged(gzip.compress(TEXT)), "damagedArchive"),
    "something after a gzip file": (gzip.compress(TEXT) + b"more", "damagedArchive"),
    "a zip that was cut": (zipped(("w.csv", TEXT))[:-30], "damagedArchive"),
    "a damaged zip": (damaged(zipped(("w.csv", TEXT))), "damagedArchive"),
    "the start of a zip": (b"PK\x03\x04", "damagedArchive"),
    "an empty zip": (zipped(), "archiveMember"),
    "two files": (zipped(("a.csv", TEXT), ("b.csv", TEXT)), "archiveMember"),
    "a password": (encrypted(TEXT), "encryptedArchive"),
    "a rare method": (zipped(("w.csv", TEXT), method=zipfile.ZIP_BZIP2), "archiveMethod"),
    "a path upwards": (zipped(("../w.csv", TEXT)), "unsafeArchive"),
    "a path upwards beside the file": (zipped(("w.csv", TEXT), ("a/../../b", b"")), "unsafeArchive"),
    "a path from the root": (zipped(("/etc/w.csv", TEXT)), "unsafeArchive"),
    "a path on a drive": (zipped(("C:w.csv", TEXT)), "unsafeArchive"),
    "a path of Windows upwards": (zipped(("a\\..\\w.csv", TEXT)), "unsafeArchive"),
    "a zip in a zip": (zipped(("w.zip", zipped(("w.csv", TEXT)))), "nestedArchive"),
    "a gzip file in a gzip file": (gzip.compress(gzip.compress(TEXT)), "nestedArchive"),
    "a gzip file in a zip": (zipped(("w.csv.gz", gzip.compress(TEXT))), "nestedArchive"),
    "a workbook": (zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")), "workbook"),
    "a workbook in a zip": (zipped(("w.xlsx", zipped(("[Content_Types].xml", b"<x/>")))), "nestedArchive"),
    "a workbook in a gzip file": (gzip.compress(zipped(("[Content_Types].xml", b"<x/>"))), "nestedArchive"),
    "an OpenDocument workbook": (zipped(("mimetype", b"application/vnd.oasis"), ("content.xml", b"<x/>")), "workbook"),
    "an old workbook": (OLE + bytes(600), "workbook"),
    "an old workbook in a zip": (zipped(("w.xls", OLE + bytes(600))), "nestedArchive"),
    "the start of an old workbook in a zip": (zipped(("w.xls", OLE[:4] * 9)), "damagedWorkbook"),
    "many entries": (zipped(*((f"{n:060}", b"") for n in range(12_000))), "tooManyEntries"),
    "bzip2": (bz2.compress(TEXT), "otherArchive"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04", "otherArchive"),
    "PGP in ASCII": (b"-----BEGIN PGP MESSAGE-----\nVersion: 1\n", "pgpEncrypted"),
    "PGP in ASCII in a zip": (zipped(("w.csv.asc", b"\r\n-----BEGIN PGP MESSAGE-----\n")), "pgpEncrypted"),
    "PGP with a public key": (b"\x85\x01\x0c\x03" + bytes(range(100, 200)), "pgpEncrypted"),
    "PGP with a short key": (b"\x84\x5e\x03" + bytes(range(100, 200)), "pgpEncrypted"),
    "PGP with a public key, new form": (b"\xc1\xc0\x4c\x03" + bytes(range(100, 200)), "pgpEncrypted"),
    "PGP with a password": (b"\x8c\x0d\x04\x09\x03\x02" + bytes(range(100, 200)), "pgpEncrypted"),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_archive_that_can_not_be_used_is_refused_with_its_reason(kind: str):
    content, code = BAD[kind]
    assert refusal(content) == code


@pytest.mark.parametrize("text", ["Áé,b\n1,2\n", "Ãa,b\n1,2\n", "…a,b\n1,2\n", "Œa,b\n1,2\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_a_name_with_an_accent_is_not_taken_for_encryption(text: str, encoding: str):
    assert lines(text.encode(encoding), encoding=encoding) == 2


BOMB = b"a,b\n" + b"1,2\n" * (12 * 1024 * 1024)


@pytest.mark.parametrize("pack", [gzip.compress, lambda text: zipped(("w.csv", text))], ids=["gzip", "zip"])
def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(pack: Any):
    packed = pack(BOMB)
    assert len(packed) * 200 < len(BOMB)
    tracemalloc.start()
    try:
        with pytest.raises(HrFileError) as ratio:
            unpacked(packed, FileLayout())
        with pytest.raises(HrFileError) as size:
            unpacked(packed, FileLayout(max_unpacked_ratio=2000, max_unpacked_megabytes=20))
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert (ratio.value.reason.code, size.value.reason.code) == ("archiveRatio", "archiveTooLarge")
    assert unpacked(packed, FileLayout(max_unpacked_ratio=2000)) == len(BOMB)


@PROPERTY
@given(
    st.sampled_from([gzip.compress(b"a,b\n1,2\n"), zipped(("w.csv", b"a,b\n1,2\n"))]),
    st.lists(st.tuples(st.integers(4, 150), st.integers(0, 255)), max_size=4),
    st.integers(4, 200),
)
def test_any_spoiled_archive_is_rows_or_a_refusal(packed: bytes, spoiled: list[tuple[int, int]], length: int):
    content = bytearray(packed)
    for place, byte in spoiled:
        content[place % len(content)] = byte
    try:
        lines(bytes(content[:length]), 7)
    except HrFileError as refused:
        reason = refused.reason
        assert all((reason.code, reason.message, reason.advice))
