"""A port in a tagged VLAN: vlan_port.py TAP INTERFACE VLAN

Makes the interface TAP; what leaves by it goes out on INTERFACE with an 802.1Q tag, and what comes in there comes in
here without. A program of its own, since not every kernel has VLAN interfaces.
"""
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
ETH_P_ALL, VLAN_TAG, OUTGOING = 3, b"\x81\x00", 4

tap_name, interface, vlan = sys.argv[1:]
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", tap_name.encode(), IFF_TAP | IFF_NO_PI))
port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
port.bind((interface, ETH_P_ALL))
tag = VLAN_TAG + struct.pack(">H", int(vlan))
while True:
    for source in select.select([tap, port], [], [])[0]:
        if source is port:
            # The kernel removes the tag before a packet socket sees the frame.
            frame, address = port.recvfrom(65536)
            if address[2] != OUTGOING:
                os.write(tap, frame)
        else:
            frame = os.read(tap, 65536)
            port.send(frame[:12] + tag + frame[12:])
