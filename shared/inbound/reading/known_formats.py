"""What is often dropped instead of text, by its first bytes, so that the advice can be to the point."""

from __future__ import annotations

import re

from shared.errors import HrFileError

_OLE_DAMAGED = b"\xd0\xcf\x11\xe0"
_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
_ARMOR = re.compile(rb"\s*-----BEGIN PGP ")
_PGP_PACKET = re.compile(
    rb"[\x84\xc1].[\x03\x06]|\x85..[\x03\x06]|\xc1[\xc0-\xdf].[\x03\x06]|\xc1\xff....[\x03\x06]|[\x8c\xc3].[\x04-\x06]",
    re.DOTALL,
)
"""A session key for a public key or for a password: its tag, its length, its version. No text has that third byte."""


def refuse_known_formats(start: bytes) -> None:
    """Refuse a file that starts as no text does; archives that can be unpacked are no matter of this.

    Raises:
        HrFileError: it is a damaged workbook, encrypted, or an archive of another kind.
    """
    if start.startswith(_OLE_DAMAGED):
        raise HrFileError(
            "damagedWorkbook",
            "The file begins as a workbook and is none.",
            "Save the workbook again and drop it again.",
        )
    if _ARMOR.match(start) or _PGP_PACKET.match(start):
        raise HrFileError(
            "pgpEncrypted",
            "The file is encrypted with PGP, which the connector can't decrypt.",
            "Have it decrypted before it is dropped: storage and transfer are encrypted already.",
        )
    if start.startswith(_ARCHIVES) or _BZIP2.match(start):
        raise HrFileError(
            "otherArchive",
            "The file is an archive of a kind that is not unpacked.",
            "Drop the HR file itself, or pack it as .zip or .gz.",
        )
