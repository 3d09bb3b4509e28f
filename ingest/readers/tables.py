"""Tables of a PDF page as rows of cells, found by their rules or, without rules, by cells that begin at common places.

A row that wraps is one row; a box with a warning in it, the line below a heading and a table of contents are no
tables (`tests/test_readers.py`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.readers.layout import Line, Word, joined, lines_of, segments

_MANY_PATHS = 4000  # a drawing, not tables: its lines tell nothing and comparing them would take minutes


@dataclass(frozen=True)
class Table:
    """Rows of cells as they stand on one page; `top` and `bottom` are its extent in points. `headed`: the first row
    holds the headings of the columns (not so in a list of names and values). `columns`: the borders of its columns."""

    rows: tuple[tuple[str, ...], ...]
    top: float
    bottom: float
    left: float = 0.0
    right: float = 0.0
    headed: bool = True
    columns: tuple[float, ...] = ()
    boxed: bool = False


# -- ruled tables ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """The straight lines of a page: (x0, x1, y) and (y0, y1, x) in points."""

    horizontal: tuple[tuple[float, float, float], ...]
    vertical: tuple[tuple[float, float, float], ...]


def rules_of(page: Any) -> Rules:
    """The thin lines and the edges of boxes that a page draws."""
    import pypdfium2.raw as c

    horizontal: list[tuple[float, float, float]] = []
    vertical: list[tuple[float, float, float]] = []
    for count, item in enumerate(page.get_objects(filter=[c.FPDF_PAGEOBJ_PATH], max_depth=4)):
        if count > _MANY_PATHS:
            return Rules((), ())
        x0, y0, x1, y1 = item.get_bounds()
        wide, high = x1 - x0, y1 - y0
        if high <= 2.5 and wide >= 12:
            horizontal.append((x0, x1, (y0 + y1) / 2))
        elif wide <= 2.5 and high >= 5:
            vertical.append((y0, y1, (x0 + x1) / 2))
        elif wide > 12 and high > 7:
            horizontal += [(x0, x1, y0), (x0, x1, y1)]
            vertical += [(y0, y1, x0), (y0, y1, x1)]
    return Rules(tuple(horizontal), tuple(vertical))


def ruled_tables(words: Sequence[Word], rules: Rules, before: Table | None = None) -> list[Table]:
    """Tables whose rows are separated by rules; a single box (a warning) or the line under a heading is no table.
    `before`: the table that stood last on the page before; even a single row goes on with it when its columns agree."""
    tables: list[Table] = []
    loose: list[tuple[float, float, float]] = []
    for group in _touching(rules):
        if group.vertical:
            tables += _ruled(words, group, before)
        else:
            loose += group.horizontal
    rest = [w for w in words if not any(t.bottom <= w.middle[1] <= t.top for t in tables)]
    for group in _stacked(loose):
        tables += _ruled(rest, group)
    return tables


def _ruled(words: Sequence[Word], group: Rules, before: Table | None = None) -> list[Table]:
    x0, x1 = min(a for a, _, _ in group.horizontal), max(b for _, b, _ in group.horizontal)
    bottom, top = min(y for _, _, y in group.horizontal), max(y for _, _, y in group.horizontal)
    edges = _spanning([(x, a, b) for a, b, x in group.vertical], 0.5 * (top - bottom))
    boxed = len(edges) >= 3
    # A rule that parts the cells of one column only is a row of a merged cell.
    narrowest = max(0.12 * (x1 - x0), 0.9 * min(b - a for a, b in itertools.pairwise(edges))) if boxed else 0.5 * (x1 - x0)
    levels = _spanning([(y, a, b) for a, b, y in group.horizontal], narrowest)
    going_on = before is not None and before.boxed and boxed and _same_places(edges, before.columns)
    if len(levels) < (2 if going_on else 3):
        return []
    inside = [w for w in words if x0 - 2 <= w.middle[0] <= x1 + 2 and levels[0] - 2 <= w.middle[1] <= levels[-1] + 2]
    lines = lines_of(inside)
    if not boxed and sum(len(segments(line)) >= 2 for line in lines) < 0.5 * len(lines):
        return []
    columns = edges if boxed else _gaps(inside, x0, x1)
    if len(inside) < (1 if going_on else 4) or len(columns) < 3:
        return []
    rows = _boxes(inside, levels, columns, group) if boxed else _banded(inside, levels, columns)
    if not rows or (not going_on and (len(rows) < 2 or sum(sum(bool(c) for c in r) >= 2 for r in rows) < 2)):
        return []
    headed = _is_headed(rows, inside, columns)
    return [Table(tuple(rows), levels[-1], levels[0], x0, x1, headed, tuple(columns), boxed)]


def _same_places(a: Sequence[float], b: Sequence[float]) -> bool:
    return len(a) == len(b) and all(abs(x - y) <= 5 for x, y in zip(a, b, strict=True))


def _boxes(words: Sequence[Word], levels: Sequence[float], columns: Sequence[float], group: Rules) -> list[tuple[str, ...]]:
    """The cells between the rules. A cell that spans several rows stands in each of them."""
    bands = list(itertools.pairwise(levels))[::-1]
    rows: list[list[str]] = [[""] * (len(columns) - 1) for _ in bands]
    for column, (left, right) in enumerate(itertools.pairwise(columns)):
        middle = (left + right) / 2
        own = [w for w in words if column == sum(w.middle[0] > border for border in columns[1:-1])]
        first = 0
        for place, (bottom, _) in enumerate(bands):
            parted = any(a - 2 <= middle <= b + 2 and abs(y - bottom) <= 4.1 for a, b, y in group.horizontal)
            if not parted and place + 1 < len(bands):
                continue
            high = bands[first][1]
            cell = [w for w in own if bottom - 1 <= w.middle[1] < high - 1 or (high == levels[-1] and w.middle[1] >= high - 1)]
            text = joined([line.text for line in lines_of(cell)])
            for row in rows[first : place + 1]:
                row[column] = text
            first = place + 1
    return [tuple(r) for r in dict.fromkeys(map(tuple, rows)) if any(r)]


def _is_headed(rows: Sequence[Sequence[str]], words: Sequence[Word], columns: Sequence[float]) -> bool:
    """Bold type tells: a bold first row heads its columns, a bold first column names its rows. Without bold type a
    first row that holds figures in a table of two columns is no heading."""
    lines = lines_of(words)
    if not lines:
        return True
    first = list(lines[0].words)
    left = [w for w in words if w.middle[0] <= columns[1]]
    rest = [w for w in words if w.middle[0] > columns[1] and w not in first]
    if any(w.bold for w in words):
        top_bold = sum(w.bold for w in first) > 0.7 * len(first)
        left_bold = sum(w.bold for w in left) > 0.8 * len(left) and sum(w.bold for w in rest) < 0.3 * max(len(rest), 1)
        if left_bold and not all(w.bold for w in first if w.middle[0] > columns[1]):
            return False
        if top_bold:
            return True
    if len(columns) > 3:
        return True
    return not (rows[0][0].endswith(":") or any(c.isdigit() for c in rows[0][-1]))


def _spanning(rules: Iterable[tuple[float, float, float]], least: float) -> list[float]:
    """The places (place, from, to) whose rules together cover at least `least` points: the icon in a box does not."""
    rules = sorted(rules)
    found = []
    for place in _distinct([r[0] for r in rules]):
        spans = sorted((a, b) for at, a, b in rules if place - 0.1 <= at <= place + 4.1)
        covered, reach = 0.0, float("-inf")
        for a, b in spans:
            covered += max(0.0, b - max(a, reach))
            reach = max(reach, b)
        if covered >= least:
            found.append(place)
    return found


def _touching(rules: Rules) -> list[Rules]:
    """Groups of rules that meet."""
    items = [("h", a, b, y, y) for a, b, y in rules.horizontal] + [("v", x, x, a, b) for a, b, x in rules.vertical]
    items = list(dict.fromkeys((k, round(a, 1), round(b, 1), round(c, 1), round(d, 1)) for k, a, b, c, d in items))
    items.sort(key=lambda i: i[3])
    parent = list(range(len(items)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, a in enumerate(items):
        for j in range(i + 1, len(items)):
            b = items[j]
            if b[3] > a[4] + 2:
                break
            if a[1] <= b[2] + 2 and b[1] <= a[2] + 2 and root(i) != root(j):
                parent[root(i)] = root(j)
    groups: dict[int, list[tuple[str, float, float, float, float]]] = {}
    for i, item in enumerate(items):
        groups.setdefault(root(i), []).append(item)
    return [
        Rules(tuple((a, b, y) for k, a, b, y, _ in g if k == "h"), tuple((a, b, x) for k, x, _, a, b in g if k == "v"))
        for g in groups.values() if any(item[0] == "h" for item in g)
    ]  # fmt: skip


def _stacked(lines: Sequence[tuple[float, float, float]]) -> list[Rules]:
    """Rules of the same extent one below the other, as above, below the header of and below an open table."""
    groups: list[list[tuple[float, float, float]]] = []
    for line in sorted(lines, key=lambda r: -r[2]):
        for group in groups:
            last = group[-1]
            if abs(last[0] - line[0]) < 3 and abs(last[1] - line[1]) < 3 and last[2] - line[2] < 400:
                group.append(line)
                break
        else:
            groups.append([line])
    return [Rules(tuple(g), ()) for g in groups if len(g) >= 3]


def _distinct(values: Iterable[float]) -> list[float]:
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > 4:
            found.append(value)
    return found


def _gaps(words: Sequence[Word], x0: float, x1: float) -> list[float]:
    """Column borders where no word of (nearly) any line stands."""
    lines = lines_of(words)
    borders = [x0]
    width = max(1, int(x1 - x0) + 1)
    covered = [0] * width
    for line in lines:
        for piece in segments(line):
            for i in range(max(0, int(piece.x0 - x0)), min(width, int(piece.x1 - x0) + 1)):
                covered[i] += 1
    allowed = max(0.08 * len(lines), float(len(lines) >= 5))  # one line may run over: headings set close together
    start: int | None = None
    for i, n in enumerate([*covered, len(lines) + 1]):
        if n <= allowed:
            start = i if start is None else start
        elif start is not None:
            if i - start >= 5 and start > 0 and i < width:
                borders.append(x0 + (start + i) / 2)
            start = None
    return [*borders, x1]


def _banded(words: Sequence[Word], levels: Sequence[float], columns: Sequence[float]) -> list[tuple[str, ...]]:
    """Rows between rules that reach over the whole table, its columns told by the gaps between the words."""
    rows: list[tuple[str, ...]] = []
    bands = list(itertools.pairwise(levels))[::-1]
    for bottom, top in bands:
        band = [w for w in words if bottom - 1 <= w.middle[1] < top - 1 or (top == levels[-1] and w.middle[1] >= top - 1)]
        if not band:
            continue
        if len(bands) <= 3:  # only a rule above, below the header and at the end: rows by their spacing
            rows += _rows(lines_of(band), columns)
        else:
            rows.append(_cells(band, columns))
    return [r for r in rows if any(r)]


def _cells(words: Sequence[Word], columns: Sequence[float]) -> tuple[str, ...]:
    cells: list[list[Word]] = [[] for _ in range(len(columns) - 1)]
    for word in words:
        column = sum(word.middle[0] > border for border in columns[1:-1])
        cells[column].append(word)
    return tuple(joined([line.text for line in lines_of(cell)]) for cell in cells)


# -- aligned tables --------------------------------------------------------------------------------------------------


def aligned_tables(words: Sequence[Word]) -> list[Table]:
    """Tables without rules: at least three lines in a row whose cells begin at common places."""
    lines = lines_of(words)
    tables: list[Table] = []
    run: list[Line] = []
    for line in [*lines, None]:
        if line is not None and run and _goes_on(run, line):
            run.append(line)
            continue
        table = _aligned(run)
        if table is not None:
            tables.append(table)
        run = [line] if line is not None and len(segments(line)) >= 2 else []
    return tables


def _goes_on(run: Sequence[Line], line: Line) -> bool:
    last = run[-1]
    if last.y - line.y > 3.2 * max(last.size, line.size):
        return False
    if len(segments(line)) >= 2:
        return True
    starts = [s.x0 for s in segments(run[0])]
    inner = [*starts[1:], *(s.x0 for other in run[-4:] for s in segments(other)[1:])]
    return any(abs(line.x0 - x) < 3 for x in inner) or (
        abs(line.x0 - starts[0]) < 3 and line.x1 < min(inner) - 3 and last.y - line.y < 1.8 * line.size
    )


def _aligned(run: Sequence[Line]) -> Table | None:
    run = list(run)
    while run and len(segments(run[-1])) < 2 and not any(abs(run[-1].x0 - s.x0) < 3 for s in segments(run[0])[1:]):
        run.pop()
    split = [line for line in run if len(segments(line)) >= 2]
    if len(split) < 3 or len(split) < 0.4 * len(run):
        return None
    first = [s.x0 for s in segments(split[0])]
    agreeing = sum(any(abs(s.x0 - x) < 4 for x in first[1:] for s in segments(line)[1:]) for line in split[1:])
    if agreeing < 0.6 * (len(split) - 1):
        return None
    words = [w for line in run for w in line.words]
    x0, x1 = min(w.x0 for w in words), max(w.x1 for w in words)
    columns = _gaps(words, x0, x1)
    if len(columns) < 3:
        return None
    rows = [r for r in _rows(run, columns) if any(r)]
    leaders = sum(bool(re.search(r"(\.\s?){4,}", " ".join(r))) for r in rows)
    bullets = sum(bool(re.fullmatch(r"[-•*‣▪◦–·]|\(?\d{1,2}[.)]|[a-z][.)]", r[0])) for r in rows)
    if len(rows) < 3 or leaders > 0.3 * len(rows) or bullets > 0.5 * len(rows):
        return None
    top, bottom = run[0].y + run[0].size, run[-1].y - 0.3 * run[-1].size
    return Table(tuple(rows), top, bottom, x0, x1, _is_headed(rows, words, columns), tuple(columns))


def resumed(words: Sequence[Word], before: Table, height: float) -> Table | None:
    """What goes on at the top of a page with the unruled table that ended the page before: lines whose cells begin
    where its columns do. `height`: of the page, whose outermost lines (running headers) do not count."""
    lines = lines_of(words)
    start = next((i for i, line in enumerate(lines) if line.y < 0.93 * height or len(segments(line)) >= 2), len(lines))
    run: list[Line] = []
    for line in lines[start:]:
        if run and run[-1].y - line.y > 3.2 * max(run[-1].size, line.size):
            break
        if not _in_columns(line, before):
            if run or line.y < 0.88 * height:
                break
            continue
        run.append(line)
    if not any(len(segments(line)) >= 2 for line in run):
        return None
    rows = [r for r in _rows(run, before.columns) if any(r)]
    x0, x1 = min(line.x0 for line in run), max(line.x1 for line in run)
    return Table(tuple(rows), run[0].y + run[0].size, run[-1].y - 0.3 * run[-1].size, x0, x1, False, before.columns)


def _in_columns(line: Line, table: Table) -> bool:
    """Whether each piece of a line lies within one column, and begins near where that column's words began."""
    inner = table.columns[1:-1]
    for piece in segments(line):
        if sum(piece.x0 > border for border in inner) != sum(piece.x1 > border for border in inner):
            return False
    return table.left - 4 <= line.x0 and line.x1 <= max(table.right, table.columns[-1]) + 40


def _rows(lines: Sequence[Line], columns: Sequence[float]) -> list[tuple[str, ...]]:
    """Lines to rows. Where the spacing shows which lines belong together it decides; else a filled first cell does."""
    if not lines:
        return []
    steps = [a.y - b.y for a, b in itertools.pairwise(lines)]
    tight = min(steps, default=0.0)
    spaced = bool(steps) and max(steps) > 1.25 * tight and tight < 1.6 * lines[0].size
    groups: list[list[Word]] = [list(lines[0].words)]
    for line, step in zip(lines[1:], steps, strict=True):
        fresh = step > 1.25 * tight if spaced else bool(_cells(line.words, columns)[0])
        if fresh:
            groups.append(list(line.words))
        else:
            groups[-1] += line.words
    return [_cells(group, columns) for group in groups]
