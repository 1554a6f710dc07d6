"""Reads pcap and pcapng, writes pcap: as little of it as the conversions need."""
import pathlib
import struct


def read(path):
    """Times in nanoseconds, and bytes, of every frame."""
    data = pathlib.Path(path).read_bytes()
    return list(read_pcapng(data) if data[:4] == b"\n\r\r\n" else read_pcap(data))


def read_pcap(data):
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[struct.unpack_from("<I", data)[0]]
    at = 24
    while at < len(data):
        seconds, fraction, kept, _ = struct.unpack_from("<IIII", data, at)
        yield seconds * 10**9 + fraction * unit, data[at + 16:at + 16 + kept]
        at += 16 + kept


def read_pcapng(data):
    at, digits = 0, 6
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 1:
            digits = resolution(data[at + 16:at + length - 4])
        elif kind == 6:
            _, high, low, kept, _ = struct.unpack_from("<IIIII", data, at + 8)
            yield (high << 32 | low) * 10**(9 - digits), data[at + 28:at + 28 + kept]
        at += length


def resolution(options):
    """Decimal digits of the interface's clock: option if_tsresol."""
    while len(options) >= 4:
        code, length = struct.unpack_from("<HH", options)
        if code == 9:
            return options[4]
        options = options[4 + (length + 3 & ~3):]
    return 6


def write(path, link_type, frames):
    """Little-endian, nanoseconds; frames are times and bytes."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type))
        for time, data in frames:
            file.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(data), len(data)) + data)
