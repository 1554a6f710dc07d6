#!/usr/bin/env python3
"""Makes a large capture by repeating the sample captures from many addresses.

usage: repeat.py OUT.pcap MEBIBYTES [DEVICES] < list of captures, one path a line (pcap or pcapng, Ethernet)

Each repetition moves the phones' addresses (10.20.30.50 and .51) to others of 10.64.0.0/10, adjusts the IP, TCP and
UDP checksums (RFC 1624), shifts the client ports of TCP, and advances the time. DEVICES (default 4096) is
the number of different addresses; after that they recur with other ports. Nothing else is changed, so that every
repetition is a recorded conversation. Needs tshark's editcap for pcapng input.
"""
import struct, subprocess, sys, tempfile, pathlib

PHONES = {bytes([10, 20, 30, 50]), bytes([10, 20, 30, 51])}


def records(path):
    with tempfile.NamedTemporaryFile(suffix='.pcap') as out:
        subprocess.run(['editcap', '-F', 'nsecpcap', path, out.name], check=True, stderr=subprocess.DEVNULL)
        data = pathlib.Path(out.name).read_bytes()
    at = 24
    while at < len(data):
        seconds, nanos, kept, wire = struct.unpack_from('<IIII', data, at)
        yield seconds * 10**9 + nanos, data[at + 16:at + 16 + kept], wire
        at += 16 + kept


def mend(checksum, old, new):
    """RFC 1624, equation 3."""
    total = (~checksum & 0xffff) + sum(~o & 0xffff for o in words(old)) + sum(words(new))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def words(data):
    return struct.unpack(f'>{len(data) // 2}H', data)


def moved(frame, address, shift):
    """The frame with the phone's address and client port moved."""
    frame = bytearray(frame)
    if frame[12:14] != b'\x08\x00' or len(frame) < 38:
        return bytes(frame)
    ip, head = 14, (frame[14] & 15) * 4
    l4 = ip + head
    protocol = frame[ip + 9]
    sum_at = {6: l4 + 16, 17: l4 + 6}.get(protocol)
    for at in (ip + 12, ip + 16):
        old = bytes(frame[at:at + 4])
        if old not in PHONES:
            continue
        new = bytes([10, 64 + (address >> 16), address >> 8 & 255, (address & 254) | (old[3] & 1)])
        frame[at:at + 4] = new
        struct.pack_into('>H', frame, ip + 10, mend(struct.unpack_from('>H', frame, ip + 10)[0], old, new))
        if sum_at and sum_at + 2 <= len(frame):
            struct.pack_into('>H', frame, sum_at, mend(struct.unpack_from('>H', frame, sum_at)[0], old, new))
        port_at = l4 if at == ip + 12 else l4 + 2
        if protocol == 6:
            old = bytes(frame[port_at:port_at + 2])
            new = struct.pack('>H', 1024 + (struct.unpack('>H', old)[0] + shift) % 64000)
            frame[port_at:port_at + 2] = new
            struct.pack_into('>H', frame, sum_at, mend(struct.unpack_from('>H', frame, sum_at)[0], old, new))
    return bytes(frame)


def main():
    out, size = sys.argv[1], int(sys.argv[2]) << 20
    devices = int(sys.argv[3]) if len(sys.argv) > 3 else 4096
    samples = [list(records(line.strip())) for line in sys.stdin if line.strip()]
    written, count, now = 24, 0, 1_700_000_000 * 10**9
    with open(out, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        while written < size:
            sample = samples[count % len(samples)]
            address = 2 * (count % devices)
            for time, frame, wire in sample:
                at = now + time - sample[0][0]
                frame = moved(frame, address, 7 * (count // devices))
                file.write(struct.pack('<IIII', at // 10**9, at % 10**9 // 1000, len(frame), wire) + frame)
                written += 16 + len(frame)
            now += 40_000_000
            count += 1


main()
