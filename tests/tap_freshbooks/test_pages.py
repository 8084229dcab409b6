"""Pages are read several at a time, in order, no further ahead than there are threads, to the end of the list."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import pytest

from tap_freshbooks.client import Page
from tap_freshbooks.pages import in_parallel, read_pages

NOW = datetime(2026, 6, 29, tzinfo=timezone.utc)


def page(number, pages):
    return Page([{"id": number}], NOW, NOW, number, pages, 1, pages)


def test_results_come_in_order_whatever_finishes_first():
    second_done = threading.Event()

    def call(number):
        if number == 1:
            assert second_done.wait(10)
        if number == 2:
            second_done.set()
        return number * 10

    assert list(in_parallel(call, [1, 2, 3], workers=2)) == [10, 20, 30]


def test_no_more_is_read_ahead_than_there_are_threads():
    begun, results = [], in_parallel(lambda number: begun.append(number) or number, range(100), workers=4)
    assert next(results) == 0
    assert next(results) == 1
    results.close()
    assert len(begun) <= 6


def test_an_error_of_one_ends_all():
    def call(number):
        if number == 3:
            raise ValueError("third")
        return number

    results = in_parallel(call, range(1, 100), workers=2)
    with pytest.raises(ValueError, match="third"):
        list(results)


def test_an_empty_list_is_one_request():
    asked = []
    assert [each.number for each in read_pages(lambda number: asked.append(number) or page(number, 0), 4)] == [1]
    assert asked == [1]


def test_a_list_that_grows_while_it_is_read_is_read_to_its_new_end():
    numbers = [each.number for each in read_pages(lambda number: page(number, 3 if number < 3 else 5), 2)]
    assert numbers == [1, 2, 3, 4, 5]


def test_a_list_that_shrinks_is_read_as_far_as_it_seemed_to_go():
    numbers = [each.number for each in read_pages(lambda number: page(number, 5 if number == 1 else 2), 2)]
    assert numbers == [1, 2, 3, 4, 5]
