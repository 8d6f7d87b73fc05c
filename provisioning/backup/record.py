"""The record of a disposal: a draft of the certificate of erasure (抹消証明の下書き), as text and as a receipt.

Staff add who stood there and sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from device.printer.status import Receipt, ReceiptLine, ReceiptRule
from provisioning.backup.wipe import Wiped

TITLE = "抹消証明書（下書き）"
METHOD = "鍵を先に消去し、次に全ファイルを乱数で1回上書きして削除"
METHOD_EN = "keys first, then every file overwritten once with random bytes and deleted"
LIMIT = (
    "SDカード等のフラッシュ媒体では、上書き前の内容が予備領域に残ることがあります。"
    "端末を庁外に出す場合は、媒体を取り外して破壊してください。"
)
LIMIT_EN = (
    "Flash media may keep older copies of blocks out of reach. Before the box leaves the city's hands, take the medium "
    "out and destroy it."
)

_ROOM_TO_SIGN = (ReceiptLine(" "), ReceiptLine(" "), ReceiptRule())


@dataclass(frozen=True)
class Disposal:
    """What is certified. medium: name of the block device, trimmed: whether its free blocks were discarded. place,
    asset: where the box stood, and its number in the city's inventory; "" where the site file does not say.
    """

    number: str
    box: str
    city: str
    at: datetime
    wiped: Wiped
    medium: str
    trimmed: bool
    place: str = ""
    asset: str = ""


def as_text(disposal: Disposal) -> str:
    """A page in Japanese with English below, to be printed and signed."""
    w = disposal.wiped
    trimmed = ("実施", "done") if disposal.trimmed else ("未実施", "not done")
    return f"""{TITLE}
記録番号　　{disposal.number}
市区町村　　{disposal.city}
端末名　　　{disposal.box}
設置場所　　{disposal.place or "－"}
備品番号　　{disposal.asset or "－"}
媒体　　　　{disposal.medium}
抹消日時　　{disposal.at:%Y年%m月%d日 %H時%M分%S秒}（日本時間）
抹消の対象　鍵 {w.keys} 件、その他のファイル {w.files} 件、計 {w.bytes:,} バイト
抹消の方法　{METHOD}
空き領域の通知（TRIM）　{trimmed[0]}
確認　　　　抹消後、対象のファイルが1件も残っていないことを端末が確認
注意　　　　{LIMIT}

作業者　所属　　　　　　　　　氏名　　　　　　　　　　　印
立会者　所属　　　　　　　　　氏名　　　　　　　　　　　印

----
Draft certificate of erasure {disposal.number}: box {disposal.box}, asset {disposal.asset or "-"},
medium {disposal.medium}, {disposal.at.isoformat(timespec="seconds")}.
{w.keys} keys and {w.files} other files, {w.bytes} bytes: {METHOD_EN}.
Free blocks told to the medium (TRIM): {trimmed[1]}. The box checked that none of the files is left.
{LIMIT_EN}
"""


def as_receipt(disposal: Disposal) -> Receipt:
    """The same for the receipt printer."""
    w = disposal.wiped
    return (
        ReceiptLine(TITLE, align="center", bold=True),
        ReceiptRule(),
        ReceiptLine("記録番号", right=disposal.number),
        ReceiptLine("市区町村", right=disposal.city),
        ReceiptLine("端末名", right=disposal.box),
        ReceiptLine("設置場所", right=disposal.place or "－"),
        ReceiptLine("備品番号", right=disposal.asset or "－"),
        ReceiptLine("媒体", right=disposal.medium),
        ReceiptLine("抹消日時", right=f"{disposal.at:%Y-%m-%d %H:%M:%S}"),
        ReceiptLine("鍵", right=f"{w.keys}件"),
        ReceiptLine("その他のファイル", right=f"{w.files}件"),
        ReceiptLine("バイト数", right=f"{w.bytes:,}"),
        ReceiptLine("TRIM", right="実施" if disposal.trimmed else "未実施"),
        ReceiptLine(f"方法：{METHOD}。"),
        ReceiptRule(),
        ReceiptLine(LIMIT),
        ReceiptRule(),
        *(line for who in ("作業者", "立会者") for line in (ReceiptLine(who), *_ROOM_TO_SIGN)),
    )
