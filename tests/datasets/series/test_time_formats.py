import datetime

import pytest

from runnel.datasets.series.time_formats import DATE_FORMATS, swapped_order


def test_swapped_order():
    assert swapped_order("%d/%m/%Y %H:%M") == "%m/%d/%Y %H:%M"
    assert swapped_order(swapped_order("%m-%d-%Y")) == "%m-%d-%Y"


@pytest.mark.parametrize("time_format", DATE_FORMATS)
def test_formats_read_back_what_they_write(time_format):
    moment = datetime.datetime(2020, 2, 1, tzinfo=datetime.UTC)
    text = moment.strftime(time_format)
    read = datetime.datetime.strptime(text, time_format)
    assert (read.year, read.month, read.day) == (2020, 2, 1)
