"""What a parking permit says."""

from __future__ import annotations

from kiosk.issuer.kinds.kind import SheetOrder
from kiosk.issuer.paper.eras import era_date
from kiosk.issuer.paper.sheet import Block, Item, Sheet


def sheet(order: SheetOrder) -> Sheet:
    holder = order.house.member(order.applicant)
    assert holder is not None
    zone, months = order.answers["zone"][0], order.answers["months"][0]
    items = [Item("区域", {"north": "北", "south": "南"}[zone]), Item("期間", f"{months}か月")]
    return Sheet(
        title="駐車許可証",
        continued="駐車許可証（続き）",
        heading=[Item("住所", order.house.household.address)],
        blocks=[Block(label="氏名", kana=holder.kana, name=holder.name, rows=[items])],
        end="以下余白",
        sentence="駐車を許可する。",
        date=era_date(order.issue.day),
        authority=order.issue.authority,
        number_label="発行番号",
        number=order.issue.number,
    )
