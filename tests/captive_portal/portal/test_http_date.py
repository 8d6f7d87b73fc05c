from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from captive_portal.portal.http_date import HttpDate


def test_the_date_is_now_to_the_second_however_often_it_is_asked() -> None:
    date = HttpDate()
    for _ in range(1000):
        before = int(time.time())
        told = parsedate_to_datetime(date.now()).timestamp()
        assert before <= told <= time.time()
        assert date.now().endswith(" GMT")
