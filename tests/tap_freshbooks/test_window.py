"""Reading what changed: nothing is lost, whatever happens while pages are read, and in whichever order they come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_freshbooks.client import Page
from tap_freshbooks.window import (
    COMMIT_DELAY,
    DELETED_FILTER,
    MAX_READS,
    OVERLAP,
    Bounds,
    Window,
    bounds,
    may_be_since,
    next_bookmark,
)

UTC = timezone.utc
EASTERN = ZoneInfo("America/New_York")
NOON = datetime(2026, 6, 29, 16, 0, tzinfo=UTC)


def eastern(moment):
    return moment.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S")


# Bounds


def test_without_bookmark_and_start_date_everything_is_read():
    limits = bounds(None, None, NOON)
    assert limits.since is None
    assert limits.filters == []
    assert limits.holds({"updated": "1999-01-01 00:00:00"})


def test_rows_are_taken_from_two_hours_before_the_bookmark_and_asked_for_from_the_eastern_day_before_that():
    limits = bounds(datetime(2026, 6, 30, 5, 0, tzinfo=UTC), None, NOON + timedelta(days=3))
    assert limits.since == datetime(2026, 6, 30, 3, 0, tzinfo=UTC)
    # 23:00 on the 29th in New York, and a day of margin.
    assert limits.filters == [("search[updated_min]", "2026-06-28")]
    assert limits.holds({"updated": "2026-06-29 23:00:00"})
    assert not limits.holds({"updated": "2026-06-29 22:59:59"})


def test_nothing_before_the_start_date_is_taken_not_even_for_the_overlap():
    start = NOON - timedelta(days=9)
    assert bounds(None, start, NOON).since == start
    assert bounds(start, start, NOON).since == start
    assert bounds(NOON, start, NOON).since == NOON - OVERLAP


def test_a_bookmark_ahead_of_freshbooks_clock_loses_nothing():
    assert bounds(NOON + timedelta(days=400), None, NOON).since == NOON - OVERLAP


def test_rows_without_a_usable_updated_are_always_taken():
    limits = bounds(NOON, None, NOON)
    assert all(limits.holds(row) for row in ({}, {"updated": None}, {"updated": "soon"}, {"updated": 5}))


# Bookmark


def test_the_bookmark_rises_to_the_beginning_of_the_read():
    assert next_bookmark(None, NOON + timedelta(seconds=0.7), certain=True) == NOON
    assert next_bookmark(NOON - timedelta(hours=1), NOON, certain=True) == NOON


def test_the_bookmark_never_falls():
    assert next_bookmark(NOON + timedelta(hours=1), NOON, certain=True) == NOON + timedelta(hours=1)


def test_the_bookmark_stays_where_rows_may_have_been_missed():
    assert next_bookmark(None, NOON, certain=False) is None
    assert next_bookmark(NOON, NOON + timedelta(hours=1), certain=False) == NOON


# Deletions while reading


def test_a_deletion_just_before_the_read_may_have_become_visible_during_it():
    assert may_be_since({"updated": eastern(NOON - COMMIT_DELAY)}, NOON, NOON)
    assert not may_be_since({"updated": eastern(NOON - COMMIT_DELAY - timedelta(seconds=1))}, NOON, NOON)


def test_in_the_repeated_hour_only_what_can_have_been_just_now_counts():
    began = datetime(2026, 11, 1, 6, 20, tzinfo=UTC)  # 01:20, the second time
    assert may_be_since({"updated": "2026-11-01 01:21:00"}, began, began + timedelta(minutes=2))
    assert not may_be_since({"updated": "2026-11-01 01:50:00"}, began, began + timedelta(minutes=2)), "an hour ago"
    assert not may_be_since({"updated": "2026-11-01 01:10:00"}, began, began + timedelta(minutes=2))


# Reading a list that changes meanwhile


@dataclass
class Books:
    """A list as FreshBooks keeps it: newest id first, pages computed anew at each request."""

    now: datetime
    per_page: int = 3
    rows: dict[int, dict] = field(default_factory=dict)

    def put(self, object_id, *, vis_state=0, late=timedelta()):
        self.rows[object_id] = {"id": object_id, "updated": eastern(self.now - late), "vis_state": vis_state}

    def page(self, number, filters):
        wanted = dict(filters)
        deleted = DELETED_FILTER[0] in wanted
        first_day = date.fromisoformat(wanted.get("search[updated_min]", "1970-01-01"))
        found = [
            dict(row)
            for object_id, row in sorted(self.rows.items(), reverse=True)
            if (row["vis_state"] == 1) == deleted and date.fromisoformat(row["updated"][:10]) >= first_day
        ]
        start = (number - 1) * self.per_page
        pages = -(-len(found) // self.per_page)
        rows = found[start : start + self.per_page]
        return Page(rows, self.now, self.now.replace(microsecond=0), number, pages, self.per_page, len(found))


class Reader:
    """Reads the books as the tap does, in an order of pages and with changes in between that somebody else chooses."""

    def __init__(self, books, between, order=lambda numbers: numbers):
        self.books, self.between, self.order = books, between, order
        self.reads = 0

    def __call__(self, filters):
        self.reads += DELETED_FILTER not in filters
        first = self.books.page(1, filters)
        self.between()
        yield first
        last, following = first.pages, 2
        while following <= last:
            numbers = list(range(following, last + 1))
            following = last + 1
            pages = {}
            for number in self.order(numbers):
                pages[number] = self.books.page(number, filters)
                self.between()
            for number in numbers:
                last = max(last, pages[number].pages)
                yield pages[number]


def read(reader, limits, seen):
    window = Window(limits, reader, pytest.fail)
    for _, rows in window:
        seen.update({row["id"]: dict(row) for row in rows})
    return window


@pytest.fixture
def books():
    books = Books(NOON - timedelta(days=2))
    for object_id in range(1, 10):
        books.put(object_id)
    books.now = NOON
    return books


def once(*changes):
    """Do each of the changes after one more page."""
    remaining = iter(changes)

    def between():
        for change in remaining:
            change()
            return

    return between


def test_a_quiet_list_is_read_once(books):
    reader, seen = Reader(books, lambda: None), {}
    window = read(reader, Bounds(), seen)
    assert sorted(seen) == list(range(1, 10))
    assert (window.certain, reader.reads) == (True, 1)
    assert window.began == NOON


def test_the_row_that_a_deletion_moved_past_the_reader_is_found_by_reading_again(books):
    # Page 1 holds 9, 8, 7; deleting 9 moves 6 onto it, unseen.
    reader, seen = Reader(books, once(lambda: books.put(9, vis_state=1))), {}
    window = read(reader, Bounds(), seen)
    assert sorted(seen) == list(range(1, 10))
    assert seen[9]["vis_state"] == 1
    assert (window.certain, reader.reads) == (True, 2)


def test_a_deletion_that_became_visible_only_after_the_read_began_is_noticed_and_an_insertion_hides_it_in_vain(books):
    def change():
        books.put(9, vis_state=1, late=timedelta(seconds=30))
        books.put(0)

    seen = {}
    window = read(Reader(books, once(change)), Bounds(), seen)
    assert set(range(10)) == set(seen)
    assert window.certain


def test_what_changed_between_two_reads_of_a_run_is_left_to_the_next_run(books):
    def change():
        books.now += timedelta(hours=3)
        books.put(9, vis_state=1)

    window = read(Reader(books, once(change)), Bounds(), {})
    assert window.certain
    assert window.began == NOON, "the row after it was emitted as it was at noon, and is not emitted again"


def test_a_deletion_that_an_insertion_hides_in_the_total_is_noticed_all_the_same(books):
    def swap():
        books.put(9, vis_state=1)
        books.put(4)  # stays; the total is made up for by a row that comes back below
        books.rows[0] = {"id": 0, "updated": eastern(books.now), "vis_state": 0}

    reader, seen = Reader(books, once(swap)), {}
    window = read(reader, Bounds(), seen)
    assert set(range(1, 10)) <= set(seen)
    assert window.certain
    assert reader.reads == 2


def test_an_insertion_between_pages_that_come_out_of_order_is_noticed(books):
    # Pages 3, then 2: a new row at the top between them moves 4 from page 2 to 3, which has been read already.
    reader = Reader(books, once(lambda: None, lambda: books.put(10)), order=lambda numbers: numbers[::-1])
    seen = {}
    window = read(reader, Bounds(), seen)
    assert set(range(1, 10)) <= set(seen)
    assert window.certain


def test_on_a_single_page_nothing_can_move(books):
    books.per_page = 100
    reader = Reader(books, once(lambda: books.put(9, vis_state=1)))
    window = read(reader, Bounds(), {})
    assert (window.certain, reader.reads) == (True, 1)


def test_a_list_that_never_holds_still_leaves_the_read_uncertain(books):
    for object_id in range(10, 200):
        books.put(object_id)
    doomed = iter(range(199, 0, -1))
    books.now += timedelta(hours=1)
    books.per_page = 20
    reader = Reader(books, lambda: books.put(next(doomed), vis_state=1))
    window = read(reader, Bounds(), {})
    assert not window.certain
    assert reader.reads == MAX_READS


def test_what_an_earlier_read_knew_as_deleted_is_no_sign_of_movement(books):
    books.put(9, vis_state=1)  # at the very second in which the read begins
    reader = Reader(books, lambda: None)
    window = read(reader, Bounds(), {})
    assert (window.certain, reader.reads) == (True, 2)


def test_where_no_row_is_shown_although_some_are_counted_the_list_is_hidden(books):
    window = Window(Bounds(), lambda _: [Page([], NOON, NOON, 1, 1, 100, 7)], pytest.fail)
    assert list(window)
    assert window.hidden
    assert not window.certain


def test_a_window_whose_rows_are_all_hidden_is_not_taken_for_a_hidden_list(books):
    def pages(filters):
        return [books.page(1, []) if not filters else Page([], NOON, NOON, 1, 1, 100, 1)]

    window = Window(bounds(NOON, None, NOON), pages, pytest.fail)
    assert list(window)
    assert (window.hidden, window.certain, window.unseen) == (False, True, 2)


def test_rows_that_are_counted_and_never_shown_are_no_movement(books):
    class Hiding(Reader):
        def __call__(self, filters):
            for page in super().__call__(filters):
                yield replace(page, rows=[row for row in page.rows if row["id"] not in {2, 8, 9}])

    reader = Hiding(books, lambda: None)
    window = read(reader, Bounds(), {})
    assert (window.certain, window.hidden, window.unseen, reader.reads) == (True, False, 3, 2)


def test_what_moves_among_rows_that_are_never_shown_is_noticed_all_the_same(books):
    class Hiding(Reader):
        def __call__(self, filters):
            for page in super().__call__(filters):
                yield replace(page, rows=[row for row in page.rows if row["id"] != 1])

    reader, seen = Hiding(books, once(lambda: books.put(9, vis_state=1))), {}
    window = read(reader, Bounds(), seen)
    assert set(range(2, 10)) <= set(seen)
    assert window.certain


def test_filters_that_are_ignored_cost_a_warning_and_nothing_else(books):
    books.put(1, vis_state=1)
    books.per_page = 100
    books.put(3)
    warnings, seen = [], []
    limits = bounds(NOON, None, NOON)

    def everything(_):
        yield books.page(1, [])

    books.rows[2]["updated"] = "2019-01-01 00:00:00"
    for _, rows in Window(limits, everything, warnings.append):
        seen.extend(row["id"] for row in rows)
    assert seen == [3], "once, and neither the old row nor the deleted one that the list never showed"
    assert len(warnings) == 1


CHANGES = ("put", "delete", "insert", "undelete", "nothing")
# At the switches of both kinds, and on a summer's day.
BASES = [datetime(2026, 11, 1, 4, 40, tzinfo=UTC), datetime(2026, 3, 8, 6, 40, tzinfo=UTC), NOON]


@settings(max_examples=150)
@given(st.sampled_from(BASES), st.integers(0, 8), st.randoms(use_true_random=False))
def test_after_the_next_quiet_run_nothing_was_ever_lost(base, size, random):
    books = Books(base, per_page=2)
    for object_id in range(1, size + 1):
        books.put(object_id)

    def change():
        books.now += timedelta(seconds=random.choice([1, 5, 40, 600]))
        what, ids = random.choice(CHANGES), list(books.rows)
        late = random.choice([timedelta(), timedelta(seconds=30)])
        if what == "insert" or not ids:
            books.put(max(ids, default=0) + 1, late=late)
        elif what != "nothing":
            books.put(random.choice(ids), vis_state=int(what == "delete"), late=late)

    def shuffled(numbers):
        return random.sample(numbers, len(numbers))

    seen, bookmark = {}, None
    for _ in range(random.randint(1, 4)):
        busy = Reader(books, lambda: random.random() < 0.5 and change(), shuffled)
        window = read(busy, bounds(bookmark, None, books.now), seen)
        reached = next_bookmark(bookmark, window.began, certain=window.certain)
        assert reached is None or reached <= window.began or reached == bookmark
        bookmark = reached
        for _ in range(random.randint(0, 3)):
            change()
    books.now += timedelta(minutes=random.choice([2, 50, 70]))
    window = read(Reader(books, lambda: None), bounds(bookmark, None, books.now), seen)
    assert window.certain
    assert seen == books.rows
