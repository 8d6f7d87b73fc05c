"""250 phones at once, run inside their namespace: ``python crowd_login.py CERTIFICATE FIRST COUNT``.

Every phone asks its check, follows to the page, logs in by its form and asks its check again. Prints the number of
phones that ended online with the Internet's own answer, and what went wrong with the others, as JSON.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from urllib.parse import urlencode

PORTAL, FAR, GATEWAY = "wifi.example.jp", "198.19.0.80", "10.90.0.1"
CHECK = {"Host": "connectivitycheck.gstatic.com"}


class ToPortal(http.client.HTTPSConnection):
    """TLS to the portal's name at the gateway's address."""

    def connect(self) -> None:
        """See HTTPSConnection; there is no name server in this namespace."""
        self.host = GATEWAY
        http.client.HTTPConnection.connect(self)
        self.sock = TRUST.wrap_socket(self.sock, server_hostname=PORTAL)


def check(ip: str) -> tuple[int, str]:
    """(status, redirect) of the phone's own check."""
    asking = http.client.HTTPConnection(FAR, timeout=20, source_address=(ip, 0))
    asking.request("GET", "/generate_204", headers=CHECK)
    answer = asking.getresponse()
    asking.close()
    return answer.status, answer.getheader("Location", "")


def visit(ip: str) -> str:
    """ "" when everything went well, else where it stopped."""
    status, where = check(ip)
    if status != 302 or not where.startswith(f"https://{PORTAL}/"):
        return f"check {status} {where}"
    portal = ToPortal(PORTAL, timeout=20, source_address=(ip, 0), context=TRUST)
    portal.request("GET", where.removeprefix(f"https://{PORTAL}"), headers={"Host": PORTAL})
    token = re.search(r'name="token" value="([^"]+)"', portal.getresponse().read().decode())
    if not token:
        return "page without a form"
    form = {"Host": PORTAL, "Content-Type": "application/x-www-form-urlencoded"}
    portal.request("POST", "/login", urlencode({"token": token[1], "method": "one_tap"}), form)
    page = portal.getresponse().read().decode()
    portal.close()
    if 'data-page="online"' not in page:
        return "not online: " + "".join(re.findall(r'data-error="([a-z_]+)"', page))
    status, where = check(ip)
    return "" if status == 204 else f"check after login {status} {where}"


def visit_or_error(ip: str) -> str:
    """The result of ``visit``, or the name of its exception."""
    try:
        return visit(ip)
    except OSError as error:
        return type(error).__name__


def main() -> None:
    first, count = IPv4Address(sys.argv[2]), int(sys.argv[3])
    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(visit_or_error, [str(first + n) for n in range(count)]))
    sys.stdout.write(json.dumps({"online": ends.count(""), "wrong": sorted({end for end in ends if end})}))


if __name__ == "__main__":
    TRUST = ssl.create_default_context(cafile=sys.argv[1])
    main()
