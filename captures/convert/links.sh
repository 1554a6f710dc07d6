#!/usr/bin/env bash
# Re-makes captures/links: the same exchanges in other links, tunnels and pieces.
#
# First come the conversions of links.py. Then, as root, those that the kernel of this machine can make itself: the
# recordings are replayed into its interfaces and recorded again (VXLAN, VXLAN whose packets are fragmented, Linux's
# cooked captures).
#
# Needs python3, and for recording iproute2, tcpdump and tcpreplay. Nothing outside of two network namespaces, a temporary
# folder and captures/links is touched.
set -euo pipefail
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
captures=$(dirname "$here")
links=$captures/links
space=chaingap-links
work=$(mktemp -d)
recorder=

near() { ip netns exec $space-near "$@"; }
far() { ip netns exec $space-far "$@"; }

finish() {
    [ -z "$recorder" ] || kill "$recorder" 2>/dev/null || true
    ip netns del $space-near 2>/dev/null || true
    ip netns del $space-far 2>/dev/null || true
    rm -rf "$work"
}

# Two ends of a cable with this MTU; only the replay sends on it.
network_up() {
    ip netns add $space-near
    ip netns add $space-far
    for end in near far; do
        $end sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
    done
    ip link add cable netns $space-near mtu "$1" type veth peer name cable mtu "$1" netns $space-far
    near ip addr add 192.0.2.1/24 dev cable
    far ip addr add 192.0.2.2/24 dev cable
    near ip link set cable up
    far ip link set cable up
    near ip neigh add 192.0.2.2 lladdr "$(far cat /sys/class/net/cable/address)" dev cable
}

# record NAME SOURCE WHAT INTERFACE TCPDUMP…: replays SOURCE into INTERFACE of the near end.
record() {
    local name=$1 source=$2 what=$3 interface=$4
    echo "recording $name"
    editcap -F nsecpcap "$captures/$source.pcapng" "$work/replay.pcap"
    far tcpdump -q -U --time-stamp-precision=nano -w "$work/$name.pcap" "${@:5}" 2>/dev/null &
    recorder=$!
    sleep 1
    near tcpreplay -q -i "$interface" "$work/replay.pcap" >/dev/null
    sleep 1
    kill -TERM "$recorder"
    wait "$recorder" || true
    recorder=
    python3 "$here/links.py" "$links" "$name" "$source" "$work/$name.pcap" "$what"
    ip netns del $space-near
    ip netns del $space-far
}

mkdir -p "$links"
python3 "$here/links.py" "$links"
if ((EUID != 0)) || ! command -v tcpreplay tcpdump editcap >/dev/null; then
    echo "links.sh: as root, with tcpreplay, tcpdump and editcap, it records what the kernel can do; skipped" >&2
    exit 0
fi
trap finish EXIT
overlay() { near ip link add overlay mtu 1500 type vxlan id 42 remote 192.0.2.2 dstport 4789; near ip link set overlay up; }

network_up 1600
overlay
record vxlan usb-sign-in "in VXLAN" overlay -i cable udp port 4789

network_up 576
overlay
record vxlan-fragments pin-sign-in "in VXLAN whose packets are IP fragments" overlay -i cable "udp port 4789 or ip[6:2] & 0x1fff != 0"

network_up 1500
record sll pin-sign-in "in a cooked capture of all interfaces" cable -i any -y LINUX_SLL

network_up 1500
record sll2 pin-sign-in "in a cooked capture of all interfaces, version 2" cable -i any -y LINUX_SLL2
