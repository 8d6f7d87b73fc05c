"""How much a phone may send to and get from the box's name server, as chains of the table ``hiroba``. Pure.

A question and its answer carry bytes to and from whoever runs a name server, so DNS before the log-in is a tunnel as
wide as it is let. Bytes of questions and answers, UDP and TCP, come out of one bucket a phone. Its key is made of the
MAC of the frame and written to the connection, because an answer on its way out has no MAC yet: neither another
address of the phone nor the other family is another bucket. Keys are fewer than elements fit, so that no set is ever
full. Phones that wait for their log-in share one more bucket; the first bytes of each do not come out of it, so that
many tunnels leave a phone that just came its answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from captive_portal.gate.policy.session import FIRST_MARK

KEYS, SEED = 1 << 17, 0x68697262
"""Number of keys. Two phones of 500 have the same one with one chance in 250, and then share a bucket."""
WAITING_KEY, ONLINE = 0x80000000, 0x40000000
"""Keys are above every session's mark; ONLINE is set in those of phones with a session."""
WAITING_RATE, WAITING_BURST = 1_500, 14_500
"""Bytes a second, and at once: both ways together, headers of IP included. The kernel's bucket holds a second of the
rate and the burst. An iPhone's join asks about 30 names, of 90 bytes a question and 200 an answer.
"""
FIRST_RATE, FIRST_BURST = 150, 4_000
"""Of that, bytes that do not come out of the bucket of all who wait."""
ALL_WAITING_RATE, ALL_WAITING_BURST = 128 * 1024, 512 * 1024
ONLINE_RATE, ONLINE_BURST = 32 * 1024, 128 * 1024
WAITING_QUESTIONS, ONLINE_QUESTIONS = "6/second burst 60 packets", "15/second burst 90 packets"
"""Packets to the name server: an open question holds a place in it for ten seconds."""
MAX_TCP, MAX_TCP_WAITING, MAX_TCP_ALL = 2, 8, 16
"""Connections to the name server of one phone, of all that wait, and of all; dnsmasq 2.90 serves 20 at once
(src/config.h MAX_PROCS), and an idle one for 150 seconds.
"""
OVER = "dns_over"
"""The counter of what was dropped."""

_DROP = f"counter name {OVER} drop"


def dns_sets() -> str:
    """Sets and counter that the chains use."""
    sets = "".join(
        f"  set {name} {{ type mark; size {4 * KEYS}; flags dynamic,timeout; timeout 1m; }}\n"
        for name in ("dns_questions", "dns_bytes", "dns_first")
    )
    return f"{sets}  set dns_tcp {{ type mark; size {4 * KEYS}; flags dynamic; }}\n  counter {OVER} {{ }}\n"


def dns_chains(interfaces: Sequence[str], accept: str) -> str:
    """``dns_in``: where a packet to port 53 of the box is sent by ``goto``; ``dns_out`` with its base chain: the
    answers. accept: the statement that lets a packet to the box pass. The chain ``refuse`` is the table's.
    """
    lan = ", ".join(f'"{name}"' for name in interfaces)
    online = f"ct mark and {ONLINE:#x} == {ONLINE:#x}"
    inside = [
        f"ct mark set jhash ether saddr mod {KEYS} seed {SEED:#x} offset {WAITING_KEY:#x}",
        "meta mark set ether saddr . ip saddr map @up4",
        "meta mark set iifname . ether saddr map @up6",
        f"meta mark >= {FIRST_MARK} ct mark set ct mark or {ONLINE:#x}",
        f"iifname @disaster ct mark set ct mark or {ONLINE:#x}",
        f"tcp dport 53 ct state new add @dns_tcp {{ ct mark ct count over {MAX_TCP} }} counter name {OVER} goto refuse",
        f"tcp dport 53 ct state new ct count over {MAX_TCP_ALL} counter name {OVER} goto refuse",
        f"{online} update @dns_questions {{ ct mark limit rate over {ONLINE_QUESTIONS} }} {_DROP}",
        f"{online} {_over('dns_bytes', ONLINE_RATE, ONLINE_BURST)} {_DROP}",
        f"{online} {accept}",
        f"tcp dport 53 ct state new ct count over {MAX_TCP_WAITING} counter name {OVER} goto refuse",
        f"update @dns_questions {{ ct mark limit rate over {WAITING_QUESTIONS} }} {_DROP}",
        *_waiting(accept),
        accept,
    ]
    outside = [
        f"ct direction != reply {_DROP}",
        f"{online} {_over('dns_bytes', ONLINE_RATE, ONLINE_BURST)} {_DROP}",
        f"{online} accept",
        *_waiting("accept"),
        "accept",
    ]
    base = f"oifname {{ {lan} }} meta l4proto {{ tcp, udp }} th sport 53 goto dns_out"
    return (
        _chain("dns_in", inside)
        + _chain("dns_out", outside)
        + _chain("names", ["type filter hook output priority filter; policy accept;", base])
    )


def _waiting(accept: str) -> list[str]:
    return [
        f"{_over('dns_bytes', WAITING_RATE, WAITING_BURST)} {_DROP}",
        f"update @dns_first {{ ct mark limit rate {FIRST_RATE} bytes/second burst {FIRST_BURST} bytes }} {accept}",
        f"limit rate over {ALL_WAITING_RATE} bytes/second burst {ALL_WAITING_BURST} bytes {_DROP}",
    ]


def _over(kind: str, rate: int, burst: int) -> str:
    return f"update @{kind} {{ ct mark limit rate over {rate} bytes/second burst {burst} bytes }}"


def _chain(name: str, lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"\n  chain {name} {{\n{body}\n  }}\n"
