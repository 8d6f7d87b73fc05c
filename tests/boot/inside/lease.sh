#!/bin/sh
# What udhcpc calls in the phone's namespace: take the address and the way out that dnsmasq gave.
[ "$1" = bound ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
ip route replace default via "$router"
