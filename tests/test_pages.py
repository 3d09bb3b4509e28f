"""The cited page as a picture: what is marked is what was quoted, and a bad page costs nothing but itself."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.page_worker import fragments, letters, line_boxes, match, occurrences
from assistant.pages import PagePicture, PagePictures
from assistant.problems import NotFound, Unavailable
from tests.scripted_assistant import manual


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return manual(tmp_path_factory.mktemp("manual"))


@pytest.fixture(scope="module")
def pictures() -> Iterator[PagePictures]:
    rendering = PagePictures(deadline_s=30)
    yield rendering
    rendering.close()


def words_under(book: Path, page: int, picture: PagePicture) -> list[str]:
    """The page's words whose centre lies in a mark, by pypdfium2's own text rectangles: an independent reading."""
    import pypdfium2 as pdfium

    document = pdfium.PdfDocument(book)
    try:
        found = document[page - 1]
        width, height = found.get_size()
        text = found.get_textpage()
        inside = []
        for left, top, right, bottom in picture.marks:
            box = (left * width, height - bottom * height, right * width, height - top * height)
            inside.append(" ".join(text.get_text_bounded(*box).split()))
        return inside
    finally:
        document.close()


def test_a_table_row_is_marked_cell_by_cell_and_its_neighbours_are_not(book: Path, pictures: PagePictures) -> None:
    quote = "Torque: Spindle bearing cap bolts M10 | 45 N m | in two passes, crosswise"
    picture = pictures.picture(book, 1, quote)
    assert picture.found == "all"
    marked = " / ".join(words_under(book, 1, picture))
    assert "Spindle bearing cap bolts M10" in marked
    assert "45 N m" in marked
    assert "25 N m" not in marked
    assert "78 N m" not in marked


def test_a_passage_over_several_lines_is_marked_on_each(book: Path, pictures: PagePictures) -> None:
    quote = (
        "a burr of a few hundredths of a millimetre is enough to preload the bearing unevenly "
        "and shortens its life considerably."
    )
    picture = pictures.picture(book, 1, quote)
    assert picture.found == "all"
    assert len(picture.marks) >= 2
    assert len({round(mark[1], 3) for mark in picture.marks}) >= 2


def test_words_that_the_page_hyphenates_are_found(book: Path, pictures: PagePictures) -> None:
    quote = "compensates thermoelastic deformations automatically; intermittent undertemperature notwithstanding"
    picture = pictures.picture(book, 2, quote)
    import pypdfium2 as pdfium

    raw = pdfium.PdfDocument(book)[1].get_textpage().get_text_range()
    assert quote not in " ".join(raw.split()), "the fixture no longer hyphenates, the test proves nothing"
    assert picture.found == "all"
    assert len(picture.marks) >= 3


def test_a_code_is_not_marked_inside_a_longer_one() -> None:
    page = letters("Alarm 5021 and 502 differ")
    assert [page.at[start] for start, _ in occurrences(page, letters("502").text)] == [15]


def test_a_decimal_point_is_part_of_the_value() -> None:
    page = letters("tighten to 45 N m")
    assert occurrences(page, letters("4.5").text) == []


def test_the_value_nearest_to_its_label_wins() -> None:
    rows = ["Coolant pressure nominal 5 bar", "Hydraulic oil pressure nominal 5 bar"]
    text = " ".join(rows)
    page = letters(text)
    second = len(rows[0]) + 1
    heights = [700.0 if at < second else 600.0 for at in page.at]
    ranges, share = match(page, "Hydraulic oil pressure: 5 bar", heights)
    assert share == pytest.approx(1.0)
    assert all(page.at[start] >= second for start, _ in ranges)


def test_the_heading_of_a_column_is_not_marked_for_its_label() -> None:
    words = "Description of columns Consequence expected Coolant flow was low Feed hold after a while"
    page = letters(words)
    heights = [700.0 if at < words.index("Coolant") else 600.0 for at in page.at]
    ranges, _ = match(page, "Description: Coolant flow was low\nConsequence: Feed hold after a while", heights)
    assert ranges
    assert all(heights[start] == 600.0 for start, _ in ranges)


def test_what_is_not_there_is_not_marked(book: Path, pictures: PagePictures) -> None:
    picture = pictures.picture(book, 3, "The gearbox oil is changed every 4,000 hours of operation.")
    assert picture.found == "none"
    assert picture.marks == ()


def test_a_mark_darkens_no_print(book: Path, pictures: PagePictures) -> None:
    """Multiplied amber: paper turns amber (red kept, blue lost), black stays black."""
    from PIL import Image

    plain = Image.open(io.BytesIO(pictures.picture(book, 1).png)).convert("RGB")
    marked_picture = pictures.picture(book, 1, "Spindle bearing cap bolts M10")
    marked = Image.open(io.BytesIO(marked_picture.png)).convert("RGB")
    left, top, right, bottom = marked_picture.marks[0]
    box = (round(left * plain.width), round(top * plain.height), round(right * plain.width), round(bottom * plain.height))
    before, after = plain.crop(box).getcolors(1 << 24), marked.crop(box).getcolors(1 << 24)
    assert before is not None
    assert after is not None
    assert max(before)[1] == (255, 255, 255)
    assert max(after)[1] == (255, 205, 70)
    assert min(sum(colour) for _, colour in after) <= min(sum(colour) for _, colour in before)


def test_pages_that_do_not_exist(book: Path, pictures: PagePictures, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has 3 pages"):
        pictures.picture(book, 4)
    with pytest.raises(NotFound):
        pictures.picture(tmp_path / "lost.pdf", 1)


def test_a_damaged_file_and_a_picture_after_it(book: Path, pictures: PagePictures, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7\n" + b"\0" * 500)
    with pytest.raises(Unavailable):
        pictures.picture(bad, 1)
    assert pictures.picture(book, 3).pages == 3


def test_a_worker_that_hangs_is_killed_at_the_deadline(book: Path, tmp_path: Path) -> None:
    script = tmp_path / "hangs.py"
    script.write_text("import sys, time\nsys.stdin.readline()\ntime.sleep(600)\n")
    hanging = PagePictures(deadline_s=1.0, worker=script)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="too long"):
        hanging.picture(book, 1)
    assert time.monotonic() - begun < 20
    assert hanging._process is None


def test_a_worker_that_dies_is_replaced(book: Path, tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text("import sys\nsys.stdin.readline()\n")
    dying = PagePictures(deadline_s=30, worker=script)
    for _ in range(2):
        with pytest.raises(Unavailable, match="could not be drawn"):
            dying.picture(book, 1)


def test_a_picture_is_drawn_once(book: Path, tmp_path: Path) -> None:
    script = tmp_path / "once.py"
    script.write_text(
        "import json, sys\nsys.stdin.readline()\n"
        "h = {'pages': 3, 'found': '', 'marks': [], 'width': 1, 'height': 1, 'bytes': 3}\n"
        "sys.stdout.write(json.dumps(h) + chr(10) + 'PNG'); sys.stdout.flush()\n"
    )
    rendering = PagePictures(deadline_s=30, worker=script)
    assert rendering.picture(book, 1).png == b"PNG"
    assert rendering.picture(book, 1).png == b"PNG"  # the worker is gone, the cache is not
    rendering.close()


def test_boxes_of_a_line_join_and_columns_do_not() -> None:
    line = [(10.0 + 6 * i, 100.0, 15.0 + 6 * i, 110.0) for i in range(5)]
    far = [(300.0, 100.0, 305.0, 110.0)]
    below = [(10.0, 80.0, 15.0, 90.0)]
    assert line_boxes([*line, *far, *below]) == [(10.0, 100.0, 39.0, 110.0), far[0], below[0]]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=80))
def test_any_text_finds_itself(text: str) -> None:
    page = letters(list(text))
    assert len(page.text) == len(page.at) == len(page.starts) == len(page.ends)
    ranges, share = match(page, text, [0.0] * len(page.at))
    if page.text:
        assert share == 1.0
        assert ranges[0] == (0, len(page.text))
    else:
        assert ranges == []


@given(st.text(max_size=200))
def test_fragments_lose_no_letter(text: str) -> None:
    joined = "".join(letters(list(piece)).text.replace(".", "") for piece in fragments(text))
    assert joined == letters(list(text)).text.replace(".", "")
