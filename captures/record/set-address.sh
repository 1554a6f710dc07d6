#!/bin/sh
# What udhcpc runs: takes the leased address.
if [ "$1" = bound ]; then ip addr add "$ip/24" dev "$interface"; fi
