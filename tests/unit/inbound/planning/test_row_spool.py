"""Texts by number on temporary disk: what was put in comes out, plain or compressed, in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.planning.row_spool import RowSpool
from tests.unit.builders import PROPERTY


def spooled(texts: list[bytes], parts: int = 1, **bounds: int) -> RowSpool:
    spool = RowSpool(**bounds)
    for start in range(0, len(texts), parts):
        spool.extend(texts[start : start + parts])
    spool.finish()
    return spool


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 129, 1000])
@pytest.mark.parametrize("parts", [1, 7, 64, 1024])
@pytest.mark.parametrize("as_it_is", [0, 300, 1 << 20], ids=["all packed", "packed from some row on", "none packed"])
def test_every_text_comes_back_by_its_number(count: int, parts: int, as_it_is: int):
    texts = [b"row %d " % number * (number % 5) for number in range(count)]
    spool = spooled(texts, parts, as_it_is=as_it_is)
    assert [spool.get(number) for number in range(count)] == texts
    assert [spool.get(number) for number in reversed(range(count))] == texts[::-1]
    spool.close()


@PROPERTY
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=300), st.integers(1, 100), st.integers(0, 4000), st.data())
def test_any_texts_come_back_in_any_order(texts: list[bytes], parts: int, as_it_is: int, data: st.DataObject):
    spool = spooled(texts, parts, as_it_is=as_it_is)
    for number in data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=60)):
        assert spool.get(number) == texts[number]
    spool.close()


def test_more_than_fits_into_memory_comes_back():
    texts = [b"%07d" % number * 100 for number in range(6000)]
    spool = spooled(texts, 1000, as_it_is=2_000_000)
    assert [spool.get(number) for number in range(0, 6000, 499)] == texts[::499]
    assert spool.get(5999) == texts[5999]
    spool.close()


def test_what_is_packed_takes_a_fraction_of_the_disk():
    texts = [b'{"displayName":"Barbara Jensen","active":true}'] * 6400
    sizes = []
    for as_it_is in (0, 1 << 30):
        spool = spooled(texts, as_it_is=as_it_is)
        sizes.append(spool._file.tell())
        spool.close()
    assert sizes[0] * 10 < sizes[1]
