"""Puts recordings' frames into other links and tunnels: links.py OUT [NAME SOURCE RECORDING WHAT]

Writes captures of the recordings beside this folder into the folder OUT, with the expectations of their sources; or one
that was recorded while SOURCE was replayed.
Every header is as its specification, named at each function, has it; what is inside is as it was recorded. Only the
standard library is used.
"""
import pathlib
import struct
import sys
import zlib

import pcap

CAPTURES = pathlib.Path(__file__).resolve().parent.parent
IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
# The ends of the tunnels: addresses reserved for documentation (RFC 5737, RFC 3849), locally administered MAC
# addresses.
NEAR, FAR = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
NEAR6, FAR6 = bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000000000000000000002")
NEAR_CARD, FAR_CARD = bytes.fromhex("02005e000001"), bytes.fromhex("02005e000002")


def be(*numbers):
    """Pairs of width in octets and number, in network order."""
    return b"".join(number.to_bytes(width, "big") for width, number in zip(numbers[::2], numbers[1::2]))


def le(*numbers):
    return b"".join(number.to_bytes(width, "little") for width, number in zip(numbers[::2], numbers[1::2]))


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ether_type(frame):
    return int.from_bytes(frame[12:14], "big")


def ethernet(protocol, payload):
    return FAR_CARD + NEAR_CARD + be(2, protocol) + payload


def ipv4(protocol, payload, flags=0x4000, identification=0):
    head = be(1, 0x45, 1, 0, 2, 20 + len(payload), 2, identification, 2, flags, 1, 64, 1, protocol, 2, 0) + NEAR + FAR
    return head[:10] + be(2, checksum(head)) + head[12:] + payload


def ipv6(protocol, payload):
    return be(4, 0x60000000, 2, len(payload), 1, protocol, 1, 64) + NEAR6 + FAR6 + payload


def udp(source, destination, payload):
    """Without a checksum, which IPv4 leaves to the sender and tunnels leave out."""
    return be(2, source, 2, destination, 2, 8 + len(payload), 2, 0) + payload


def over_udp(port, payload):
    return ethernet(IPV4, ipv4(17, udp(49152, port, payload)))


def only_ip(convert):
    """For links that carry only IP: ARP is left out."""
    return lambda frame, number: convert(frame, number) if ether_type(frame) in (IPV4, IPV6) else None


# Ethernet, and the headers between it and IP.

def double_tagged(frame, _):
    """IEEE 802.1ad around IEEE 802.1Q."""
    return frame[:12] + be(2, 0x88A8, 2, 100, 2, 0x8100, 2, 20) + frame[12:]


def many_tagged(frame, _):
    """A number for outer tags from before 802.1ad, and a frame with a length (IEEE 802.2, RFC 1042) within."""
    body = bytes.fromhex("aaaa03000000") + frame[12:]
    return frame[:12] + be(2, 0x9100, 2, 1, 2, 0x88A8, 2, 2, 2, 0x8100, 2, 3, 2, len(body)) + body


def snap(frame, _):
    """IEEE 802.3 length, IEEE 802.2 and SNAP (RFC 1042), padded to the shortest frame."""
    body = bytes.fromhex("aaaa03000000") + frame[12:]
    return (frame[:12] + be(2, len(body)) + body).ljust(60, b"\0")


def macsec(frame, number):
    """IEEE 802.1AE-2018 section 9.3, integrity only, with the channel explicit in every other frame. The check value is
    made up: its key would be secret."""
    explicit = number % 2
    data = frame[12:]
    short = len(data) if len(data) < 48 else 0
    tag = be(1, 0x20 if explicit else 0, 1, short, 4, number + 1)
    channel = frame[6:12] + b"\0\1" if explicit else b""
    return frame[:12] + be(2, 0x88E5) + tag + channel + data + zlib.crc32(data).to_bytes(4, "big") * 4


def macsec_encrypted(frame, number):
    """The same with the bits for encryption, and none of the frame in clear."""
    return frame[:12] + be(2, 0x88E5, 1, 0x2C, 1, 0, 4, number + 1) + frame[6:12] + b"\0\1" + bytes(len(frame))


def label(number, bottom):
    """RFC 3032 section 2.1."""
    return be(4, number << 12 | bottom << 8 | 64)


def mpls(frame, _):
    """Two labels."""
    return frame[:12] + be(2, 0x8847) + label(16001, 0) + label(24003, 1) + frame[14:]


def mpls_pseudowire(frame, number):
    """Ethernet (RFC 4448), with a control word (RFC 4385) in every other frame."""
    word = be(4, number) if number % 2 else b""
    return ethernet(0x8847, label(16001, 0) + label(24004, 1) + word + frame)


def ppp_protocol(frame):
    """Assigned numbers of PPP for IPv4 and IPv6 (RFC 1332, RFC 5072)."""
    return 0x21 if ether_type(frame) == IPV4 else 0x57


def pppoe_header(payload):
    """RFC 2516 section 4: a session's packet."""
    return be(1, 0x11, 1, 0, 2, 7, 2, len(payload)) + payload


def pppoe(frame, _):
    return frame[:12] + be(2, 0x8864) + pppoe_header(be(2, ppp_protocol(frame)) + frame[14:])


# Link types with headers of their own (tcpdump.org, link-layer header types).

def ppp_ether(frame, _):
    return pppoe_header(be(2, ppp_protocol(frame)) + frame[14:])


def ppp(frame, number):
    """RFC 1661, RFC 1662: address and control, and the first octet of the protocol, may be left out."""
    protocol = ppp_protocol(frame)
    return [b"\xff\x03" + be(2, protocol), be(2, protocol), b"\xff\x03" + be(1, protocol), be(1, protocol)][
        number % 4] + frame[14:]


def ppp_hdlc(frame, number):
    """RFC 1662; every other frame is Cisco's (RFC 1547 section 4.3.1)."""
    return (be(1, 0x0F, 1, 0) + frame[12:]) if number % 2 else b"\xff\x03" + be(2, ppp_protocol(frame)) + frame[14:]


def ppp_pppd(frame, number):
    return be(1, number % 2, 1, 3, 2, ppp_protocol(frame)) + frame[14:]


def cisco_hdlc(frame, _):
    return b"\x0f\0" + frame[12:]


def raw(frame, _):
    return frame[14:]


def loopback(order, ipv6_family):
    def convert(frame, _):
        family = 2 if ether_type(frame) == IPV4 else ipv6_family
        return family.to_bytes(4, order) + frame[14:]
    return convert


def nflog(frame, number):
    """LINKTYPE_NFLOG: attributes in the order of the machine; a mark, a prefix, then the packet."""
    family = 2 if ether_type(frame) == IPV4 else 10
    prefix = b"voice\0"
    attributes = le(2, 8, 2, 2, 4, number) + le(2, 4 + len(prefix), 2, 10) + prefix.ljust(8, b"\0")
    return be(1, family, 1, 0, 2, 5) + attributes + le(2, 4 + len(frame) - 14, 2, 9) + frame[14:]


def pktap(frame, number):
    """Apple's pktap.h: length, type of the record, link type, name of the interface; the rest is about the process."""
    return le(4, 108, 4, 1, 4, 1) + b"en0".ljust(24, b"\0") + le(4, number % 2 + 1) + bytes(68) + frame


def fddi(frame, _):
    """ISO 9314-2: asynchronous frame with LLC, addresses of 48 bits."""
    return b"\x50" + frame[:12] + llc(frame)


def atm(frame, _):
    return llc(frame)


def ieee_1394(frame, _):
    """LINKTYPE_APPLE_IP_OVER_IEEE1394: hardware identifiers of eight octets."""
    return frame[:6] + b"\0\1" + frame[6:12] + b"\0\1" + frame[12:]


def infiniband(frame, _):
    """RFC 4391 behind both addresses of twenty octets."""
    return bytes(14) + frame[:6] + bytes(14) + frame[6:12] + frame[12:14] + bytes(2) + frame[14:]


# IEEE 802.11 (sections 9.2.4, 9.3.2), and the radio headers before it.

def wlan_header(number, source, destination, control=0x08, flags=0, quality=0):
    """To an access point, from one, between two (four addresses), and without any; `quality` with subtypes of QoS."""
    access_point, other = bytes.fromhex("02005e0000aa"), bytes.fromhex("02005e0000bb")
    direction = (number + 1) % 4
    one, two, three, four = {
        1: (access_point, source, destination, b""),
        2: (destination, access_point, source, b""),
        3: (other, access_point, destination, source),
        0: (destination, source, access_point, b""),
    }[direction]
    head = be(1, control, 1, flags | direction) + le(2, 44) + one + two + three + le(2, number << 4) + four
    if control & 0x80:
        head += le(2, quality)
        # The HT Control field is present if the last flag is set.
        head += bytes(4) if flags & 0x80 else b""
    return head


def llc(frame):
    return bytes.fromhex("aaaa03000000") + frame[12:]


def wlan(frame, number):
    """Plain, with quality of service, and with high throughput control."""
    control, flags = [(0x08, 0), (0x88, 0), (0x88, 0x80)][number % 3]
    return wlan_header(number, frame[6:12], frame[:6], control, flags) + llc(frame)


def wlan_protected(frame, number):
    """The flag for protection, and none of the frame in clear."""
    return wlan_header(number, frame[6:12], frame[:6], 0x88, 0x40) + bytes(len(frame))


def wlan_radiotap(frame, number):
    """radiotap.org: timer, flags, rate, in every other frame with two words of presence. The flags tell of a check
    sequence and of padding between header and data."""
    padded = number % 2
    head = wlan_header(number, frame[6:12], frame[:6], 0x88)
    head += bytes(-len(head) % 4) if padded else b""
    body = head + llc(frame)
    words = le(4, 0x80000007, 4, 0) if padded else le(4, 0x00000007)
    fields = bytes(-(4 + len(words)) % 8) + le(8, number) + le(1, 0x30 if padded else 0x10, 1, 12)
    length = 4 + len(words) + len(fields)
    return le(1, 0, 1, 0, 2, length) + words + fields + body + zlib.crc32(body).to_bytes(4, "little")


def aggregated(frames):
    """Two frames in one aggregate (IEEE 802.11 section 9.3.2.2) where they follow each other in one direction."""
    grouped = []
    for time, frame in frames:
        if grouped and len(grouped[-1][1]) < 3 and grouped[-1][1][-1][6:12] == frame[6:12]:
            grouped[-1] = (time, grouped[-1][1] + [frame])
        else:
            grouped.append((time, [frame]))
    for number, (time, parts) in enumerate(grouped):
        body = b""
        for part in parts:
            body += bytes(-len(body) % 4) + part[:12] + be(2, len(llc(part))) + llc(part)
        head = wlan_header(number, parts[0][6:12], parts[0][:6], 0x88, 0, 0x80)
        yield time, le(1, 0, 1, 0, 2, 9, 4, 2, 1, 0x10) + head + body + zlib.crc32(head + body).to_bytes(4, "little")


def wlan_ppi(frame, number):
    """PPI header format 1.0.7: an empty list of fields, and the link type of what follows."""
    return le(1, 0, 1, 0, 2, 8, 4, 105) + wlan(frame, number)


def wlan_prism(frame, number):
    """LINKTYPE_IEEE802_11_PRISM: 144 octets with the name of the interface."""
    return le(4, 0x44, 4, 144) + b"wlan0".ljust(16, b"\0") + bytes(120) + wlan(frame, number)


def wlan_avs(frame, number):
    """LINKTYPE_IEEE802_11_AVS: version and length, then 56 octets about the radio."""
    return be(4, 0x80211001, 4, 64) + bytes(56) + wlan(frame, number)


# Tunnels.

def gre(frame, number):
    """RFC 2784, RFC 2890: without options, and with checksum, key and sequence number; routes of RFC 1701 too."""
    kind = number % 3
    if kind == 0:
        inside = be(2, 0) + frame[12:]
    else:
        fields = be(2, 0, 2, 0, 4, 7, 4, number)
        routes = be(2, 0x0800, 1, 0, 1, 4) + FAR + bytes(4) if kind == 2 else b""
        inside = be(2, 0xB000 | (0x4000 if routes else 0)) + frame[12:14] + fields + routes + frame[14:]
        inside = inside[:4] + be(2, checksum(inside)) + inside[6:]
    return ethernet(IPV4, ipv4(47, inside))


def gre_ethernet(frame, number):
    """Ethernet in GRE, with a key, over IPv6."""
    return ethernet(IPV6, ipv6(47, be(2, 0x2000, 2, 0x6558, 4, number) + frame))


def pptp(frame, number):
    """RFC 2637 section 4.1: PPP in the enhanced header, acknowledging in every other packet."""
    body = b"\xff\x03" + be(2, ppp_protocol(frame)) + frame[14:]
    more = be(4, number) if number % 2 else b""
    head = be(1, 0x30, 1, 0x81 if number % 2 else 0x01, 2, 0x880B, 2, len(body), 2, 9, 4, number)
    return ethernet(IPV4, ipv4(47, head + more + body))


def erspan_1(frame, _):
    """draft-foschiano-erspan-03 section 4.1: GRE without a header of its own."""
    return ethernet(IPV4, ipv4(47, be(2, 0, 2, 0x88BE) + frame))


def erspan_2(frame, number):
    """Section 4.2: version 1, VLAN 20, session 5."""
    return ethernet(IPV4, ipv4(47, be(2, 0x1000, 2, 0x88BE, 4, number, 2, 0x1014, 2, 5, 4, 1) + frame))


def erspan_3(frame, number):
    """Section 4.3: version 2; a platform's own eight octets in every other packet."""
    more = number % 2
    head = be(2, 0x1000, 2, 0x22EB, 4, number, 2, 0x2014, 2, 5, 4, number, 2, 0, 2, more) + bytes(8 * more)
    return ethernet(IPV4, ipv4(47, head + frame))


def ip_in_ip(frame, _):
    """RFC 2003 and RFC 4213."""
    return ethernet(IPV4, ipv4(4 if ether_type(frame) == IPV4 else 41, frame[14:]))


def ip_in_ipv6(frame, _):
    """RFC 2473, behind a destination option for the depth of tunnels."""
    option = be(1, 4 if ether_type(frame) == IPV4 else 41, 1, 0) + bytes.fromhex("040104010100")
    return ethernet(IPV6, ipv6(60, option + frame[14:]))


def vxlan_linux(frame, _):
    """RFC 7348 section 5 on the port that Linux used before, tagged inside."""
    return over_udp(8472, be(4, 0x08000000, 4, 42 << 8) + frame[:12] + be(2, 0x8100, 2, 20) + frame[12:])


def vxlan_gpe(frame, number):
    """draft-ietf-nvo3-vxlan-gpe section 3.1: Ethernet, and IP by itself in every other packet where it is IP."""
    following = {IPV4: 1, IPV6: 2}.get(ether_type(frame)) if number % 2 else None
    head = be(4, 0x0C000000 | (following or 3), 4, 42 << 8)
    return over_udp(4790, head + (frame[14:] if following else frame))


def geneve(frame, number):
    """RFC 8926 section 3.4: Ethernet with an option, and IP by itself in every other packet where it is IP."""
    option = be(2, 0x0102, 1, 1, 1, 1, 4, number)
    if number % 2 and ether_type(frame) in (IPV4, IPV6):
        return over_udp(6081, be(1, 0, 1, 0) + frame[12:14] + be(4, 42 << 8) + frame[14:])
    return over_udp(6081, be(1, len(option) // 4, 1, 0, 2, 0x6558, 4, 42 << 8) + option + frame)


def gtp(frame, number):
    """3GPP TS 29.281 section 5: with a sequence number, and with the extension that 5G adds (TS 38.415), in turn."""
    kind = number % 3
    more = [b"", be(2, number, 1, 0, 1, 0), be(2, 0, 1, 0, 1, 0x85) + be(1, 1, 2, 0x0009, 1, 0)][kind]
    head = be(1, [0x30, 0x32, 0x34][kind], 1, 0xFF, 2, len(more) + len(frame) - 14, 4, 77)
    return ethernet(IPV4, ipv4(17, udp(2152, 2152, head + more + frame[14:])))


def capwap(frame, number):
    """RFC 5415 section 4.3: Ethernet, and the radio's own frames with the octets of frame control as Cisco has them."""
    if number % 2:
        inside = wlan_header(number % 3, frame[6:12], frame[:6])
        body, native = inside[1:2] + inside[:1] + inside[2:] + llc(frame), 0x100
    else:
        body, native = frame, 0
    return over_udp(5247, be(4, 2 << 19 | 1 << 14 | 1 << 9 | native, 4, 0) + body)


# USB, one transfer in each frame: OUT for what the phone's server sends, IN for what the phone sends.

PHONES = (bytes.fromhex("02155d203050"), bytes.fromhex("02155d203051"))


def rndis_message(frame, room=0):
    """MS-RNDIS section 2.2.14; octets may follow the data."""
    return le(4, 1, 4, 44 + len(frame) + room, 4, 36, 4, len(frame)) + bytes(28) + frame + bytes(room)


def ncm_block(frames, wide, number):
    """CDC NCM 1.0 section 3: 16-bit or 32-bit blocks; the table is behind the frames, or before them."""
    head, entry, width = (16, 8, 4) if wide else (12, 4, 2)
    table_head = 16 if wide else 8
    table_length = table_head + entry * (len(frames) + 1)
    before = number % 2
    at = head + (table_length if before else 0)
    body, entries = b"", b""
    for frame in frames:
        body += bytes(-(at + len(body)) % 4)
        entries += le(width, at + len(body), width, len(frame))
        body += frame
    body += bytes(-(at + len(body)) % 4)
    table_at = head if before else at + len(body)
    entries += bytes(entry)
    table = (b"ncm0" + le(2, table_length, 2, 0, 4, 0, 4, 0) if wide else b"NCM0" + le(2, table_length, 2, 0)) + entries
    total = head + len(table) + len(body)
    start = b"ncmh" + le(2, 16, 2, number, 4, total, 4, table_at) if wide else (
        b"NCMH" + le(2, 12, 2, number, 2, total, 2, table_at))
    return start + (table + body if before else body + table)


def usb_transfers(frames, most):
    """Frames that follow each other in one direction, at most `most` in one transfer."""
    grouped = []
    for time, frame in frames:
        inwards = frame[6:12] in PHONES
        if grouped and grouped[-1][1] == inwards and len(grouped[-1][2]) < most:
            grouped[-1] = (time, inwards, grouped[-1][2] + [frame])
        else:
            grouped.append((time, inwards, [frame]))
    return grouped


def usbmon(frames, size, pack, most):
    """Linux, Documentation/usb/usbmon.rst: 48 octets, or 64 with the mapped interface. A submission without data before
    each transfer into the PC, a completion without data after each one out of it."""
    for number, (time, inwards, parts) in enumerate(usb_transfers(frames, most)):
        data = pack(parts, number)
        endpoint = 0x81 if inwards else 0x02
        ordered = [("S", b""), ("C", data)] if inwards else [("S", data), ("C", b"")]
        for kind, content in ordered:
            # The data flag is zero where data follows, otherwise the sign of the direction that it would have.
            mark = 0 if content else ord("<" if kind == "S" else ">")
            head = le(8, 0xFFFF888000000000 + number) + kind.encode() + le(1, 3, 1, endpoint, 1, 4, 2, 1)
            head += le(1, ord("-"), 1, mark, 8, time // 10**9, 4, time % 10**9 // 1000, 4, 0 if kind == "C" else 0xFFFFFF8D)
            head += le(4, len(data), 4, len(content)) + bytes(8)
            yield time, head + bytes(size - 48) + content


def usbpcap(frames, pack, most):
    """USBPcap capture format: 27 octets; a request without data before each transfer into the PC."""
    for number, (time, inwards, parts) in enumerate(usb_transfers(frames, most)):
        data = pack(parts, number)
        ordered = [(0, b""), (1, data)] if inwards else [(0, data), (1, b"")]
        for info, content in ordered:
            yield time, le(2, 27, 8, 0xFFFFA50100000000 + number, 4, 0, 2, 9, 1, info, 2, 2, 2, 5,
                           1, 0x81 if inwards else 0x02, 1, 3, 4, len(content)) + content


def rndis(parts, number):
    return b"".join(rndis_message(part, number % 2 * 4) for part in parts)


# What happens to IP packets in transit.

def fragments(frame, most, identification):
    """RFC 791 section 3.2, RFC 8200 section 4.5: pieces of at most `most` octets."""
    kind = ether_type(frame)
    if kind == IPV4:
        length = (frame[14] & 15) * 4
        total = int.from_bytes(frame[16:18], "big")
        head, body = frame[14:14 + length], frame[14 + length:14 + total]
        if len(body) <= most:
            return [frame]
        pieces = []
        for at in range(0, len(body), most):
            piece = body[at:at + most]
            more = 0x2000 if at + most < len(body) else 0
            new = head[:2] + be(2, length + len(piece), 2, identification, 2, more | at // 8) + head[8:10]
            new = new + bytes(2) + head[12:]
            pieces.append(frame[:14] + new[:10] + be(2, checksum(new)) + new[12:] + piece)
        return pieces
    if kind == IPV6:
        head, body = frame[14:54], frame[54:]
        if len(body) <= most:
            return [frame]
        pieces = []
        for at in range(0, len(body), most):
            piece = body[at:at + most]
            more = 1 if at + most < len(body) else 0
            extension = be(1, head[6], 1, 0, 2, at | more, 4, identification)
            new = head[:4] + be(2, 8 + len(piece), 1, 44) + head[7:]
            pieces.append(frame[:14] + new + extension + piece)
        return pieces
    return [frame]


def fragmented(frames):
    """Fragments of every packet of more than 104 octets: in order, reversed, the first one last, one of them twice."""
    for number, (time, frame) in enumerate(frames):
        pieces = fragments(frame, 104, 1000 + number)
        if len(pieces) > 1:
            pieces = [pieces, pieces[::-1], pieces[1:] + pieces[:1], pieces + pieces[:1]][number % 4]
        for piece in pieces:
            yield time, piece


def overlapping(frames):
    """After the second fragment of every packet a forged copy of it, which reaches into the third."""
    for number, (time, frame) in enumerate(frames):
        pieces = fragments(frame, 104, 1000 + number)
        for index, piece in enumerate(pieces):
            if index == 2:
                forged = fragments(frame, 208, 1000 + number)[0]
                forged = forged[:34] + bytes(byte ^ 0x55 for byte in forged[34:])
                head = forged[14:20] + be(2, 0x2000 | 104 // 8) + forged[22:24] + bytes(2) + forged[26:34]
                yield time, forged[:14] + head[:10] + be(2, checksum(head)) + head[12:] + forged[34:34 + 104]
            yield time, piece


def offloaded(frame, _):
    """Lengths and checksums that were left to the network card: total length and header checksum of IPv4 zero, payload
    length of IPv6 zero."""
    kind = ether_type(frame)
    if kind == IPV4 and frame[23] == 6:
        return frame[:16] + bytes(2) + frame[18:24] + bytes(2) + frame[26:]
    if kind == IPV6 and frame[20] == 6:
        return frame[:18] + bytes(2) + frame[20:]
    return frame


def padded(frame, _):
    """Padding to the shortest frame, a trailer of zeros and a check sequence."""
    frame = frame.ljust(60, b"\xaa") + bytes(12)
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def wrong_checksum(frame, _):
    return frame[:24] + bytes([frame[24] ^ 0xFF]) + frame[25:] if ether_type(frame) == IPV4 else frame


def extension_headers(frame, _):
    """RFC 8200 section 4: hop-by-hop, destination and routing headers, a fragment that is all of the packet (RFC 6946), and
    authentication (RFC 4302) with a made-up check value."""
    if frame[20] == 58:
        return frame
    chain = bytes.fromhex("3c00010400000000") + bytes.fromhex("2b00010400000000")
    # A type 2 routing header (RFC 6275 section 6.4) with no segment left.
    chain += bytes.fromhex("2c02020000000000") + NEAR6
    chain += bytes.fromhex("3300000000000009") + be(1, frame[20], 1, 4, 2, 0, 4, 1, 4, 1) + bytes(12)
    length = int.from_bytes(frame[18:20], "big") + len(chain)
    return frame[:18] + be(2, length, 1, 0) + frame[21:54] + chain + frame[54:]


ETHERNET, USB, PIN, SIX = 1, "usb-sign-in", "pin-sign-in", "usb-ipv6"


def each(convert):
    """Converts one frame after the other; None leaves it out."""
    def convert_all(frames):
        made = ((time, convert(frame, number)) for number, (time, frame) in enumerate(frames))
        return [(time, data) for time, data in made if data is not None]
    return convert_all


def usb(program, *how):
    return lambda frames: list(program(frames, *how))


def one(parts, _):
    return parts[0]


# Name, source, link type, conversion, description.
CONVERSIONS = [
    ("qinq", USB, ETHERNET, each(double_tagged), "in two VLAN tags, IEEE 802.1ad around 802.1Q"),
    ("vlan-stack", USB, ETHERNET, each(many_tagged), "in three VLAN tags, with LLC/SNAP inside"),
    ("snap", USB, ETHERNET, each(snap), "as IEEE 802.3 frames with LLC/SNAP"),
    ("macsec", USB, ETHERNET, each(macsec), "in MACsec that protects integrity only"),
    ("mpls", USB, ETHERNET, each(only_ip(mpls)), "below two MPLS labels"),
    ("mpls-pseudowire", USB, ETHERNET, each(mpls_pseudowire), "in an Ethernet pseudowire over MPLS, with and without control word"),
    ("pppoe", USB, ETHERNET, each(only_ip(pppoe)), "in a PPPoE session"),
    ("ppp", USB, 9, each(only_ip(ppp)), "on a PPP link, with and without HDLC-like framing and compressed protocol fields"),
    ("ppp-hdlc", USB, 50, each(only_ip(ppp_hdlc)), "on a serial link, PPP and Cisco HDLC in turn"),
    ("ppp-ether", USB, 51, each(only_ip(ppp_ether)), "as PPPoE without Ethernet"),
    ("ppp-pppd", USB, 166, each(only_ip(ppp_pppd)), "as pppd records PPP"),
    ("c-hdlc", USB, 104, each(cisco_hdlc), "on a Cisco HDLC link"),
    ("raw", USB, 101, each(only_ip(raw)), "as raw IP"),
    ("raw-bsd", USB, 12, each(only_ip(raw)), "as raw IP under the number that BSDs gave it first"),
    ("ipv4", USB, 228, each(only_ip(raw)), "as raw IPv4"),
    ("ipv6", SIX, 229, each(only_ip(raw)), "as raw IPv6"),
    ("null", USB, 0, each(only_ip(loopback("little", 30))), "on a BSD loopback, recorded by a little-endian machine"),
    ("null-big-endian", SIX, 0, each(only_ip(loopback("big", 24))), "on a BSD loopback, recorded by a big-endian machine"),
    ("loop", SIX, 108, each(only_ip(loopback("big", 28))), "on OpenBSD's loopback"),
    ("nflog", USB, 239, each(only_ip(nflog)), "as Linux netfilter logs it"),
    ("pktap", USB, 258, each(pktap), "as macOS records it together with the interface's name"),
    ("fddi", USB, 10, each(fddi), "on FDDI"),
    ("atm", USB, 100, each(atm), "on ATM with LLC/SNAP"),
    ("ieee-1394", USB, 138, each(only_ip(ieee_1394)), "on IEEE 1394 as Apple records it"),
    ("infiniband", USB, 242, each(only_ip(infiniband)), "on InfiniBand"),
    ("wlan", USB, 105, each(wlan), "as IEEE 802.11 frames: all directions, with and without quality of service"),
    ("wlan-radiotap", USB, 127, each(wlan_radiotap), "as IEEE 802.11 frames with radiotap headers, padding and check sequences"),
    ("wlan-aggregates", PIN, 127, lambda frames: list(aggregated(frames)), "as IEEE 802.11 aggregates (A-MSDU)"),
    ("wlan-ppi", USB, 192, each(wlan_ppi), "as IEEE 802.11 frames with PPI headers"),
    ("wlan-prism", USB, 119, each(wlan_prism), "as IEEE 802.11 frames with Prism headers"),
    ("wlan-avs", USB, 163, each(wlan_avs), "as IEEE 802.11 frames with AVS headers"),
    ("gre", USB, ETHERNET, each(only_ip(gre)), "in GRE with and without checksum, key, sequence number and routes"),
    ("gre-ethernet", USB, ETHERNET, each(gre_ethernet), "in Ethernet over GRE over IPv6"),
    ("pptp", USB, ETHERNET, each(only_ip(pptp)), "in a PPTP tunnel without compression and encryption"),
    ("erspan-1", USB, ETHERNET, each(erspan_1), "mirrored by ERSPAN type I"),
    ("erspan-2", USB, ETHERNET, each(erspan_2), "mirrored by ERSPAN type II"),
    ("erspan-3", USB, ETHERNET, each(erspan_3), "mirrored by ERSPAN type III"),
    ("ip-in-ip", USB, ETHERNET, each(only_ip(ip_in_ip)), "in IPv4 in IPv4"),
    ("ipv6-in-ipv4", SIX, ETHERNET, each(only_ip(ip_in_ip)), "in IPv6 in IPv4"),
    ("ip-in-ipv6", USB, ETHERNET, each(only_ip(ip_in_ipv6)), "in IPv4 in IPv6, behind a destination option"),
    ("vxlan-linux", USB, ETHERNET, each(vxlan_linux), "in VXLAN on port 8472, tagged inside"),
    ("vxlan-gpe", USB, ETHERNET, each(vxlan_gpe), "in VXLAN-GPE, Ethernet and IP"),
    ("geneve", USB, ETHERNET, each(geneve), "in Geneve, Ethernet with an option and IP without"),
    ("gtp", USB, ETHERNET, each(only_ip(gtp)), "in GTP-U, with and without extension headers"),
    ("capwap", USB, ETHERNET, each(capwap), "between access point and controller, in CAPWAP without encryption"),
    ("usbmon-rndis", USB, 189, usb(usbmon, 48, rndis, 1), "on the PC's USB port as RNDIS, recorded by Linux"),
    ("usbmon-mapped-rndis", PIN, 220, usb(usbmon, 64, rndis, 4),
     "on the PC's USB port as RNDIS, several messages in a transfer, recorded by Linux's memory-mapped interface"),
    ("usbpcap-rndis", USB, 249, usb(usbpcap, rndis, 3), "on the PC's USB port as RNDIS, recorded by USBPcap on Windows"),
    ("usbmon-ecm", USB, 220, usb(usbmon, 64, one, 1), "on the PC's USB port as CDC-ECM, recorded by Linux"),
    ("usbpcap-ncm", PIN, 249, usb(usbpcap, lambda parts, number: ncm_block(parts, False, number), 4),
     "on the PC's USB port as CDC-NCM in 16-bit blocks, recorded by USBPcap on Windows"),
    ("usbmon-ncm-32", USB, 189, usb(usbmon, 48, lambda parts, number: ncm_block(parts, True, number), 4),
     "on the PC's USB port as CDC-NCM in 32-bit blocks, recorded by Linux"),
    ("ipv4-fragments", PIN, ETHERNET, lambda frames: list(fragmented(frames)),
     "in IPv4 fragments, in order and in disorder, some of them twice"),
    ("ipv6-fragments", SIX, ETHERNET, lambda frames: list(fragmented(frames)),
     "in IPv6 fragments, in order and in disorder, some of them twice"),
    ("overlapping-fragments", USB, ETHERNET, lambda frames: list(overlapping(frames)),
     "in IPv4 fragments, with forged ones that overlap those that came before"),
    ("offloaded", USB, ETHERNET, each(offloaded), "with lengths and checksums left to the network card"),
    ("offloaded-ipv6", SIX, ETHERNET, each(offloaded), "with lengths left to the network card"),
    ("padded", USB, ETHERNET, each(padded), "with padding, trailer and check sequence behind every packet"),
    ("wrong-checksums", USB, ETHERNET, each(wrong_checksum), "with wrong IPv4 header checksums"),
    ("extension-headers", SIX, ETHERNET, each(extension_headers), "behind IPv6 extension headers"),
]
# Conversions that cannot be read; these have expectations of their own.
UNREAD = [
    ("macsec-encrypted", USB, ETHERNET, each(macsec_encrypted), "in encrypted MACsec: nothing of it can be read"),
    ("wlan-protected", USB, 105, each(wlan_protected), "as protected IEEE 802.11 frames: nothing of it can be read"),
]


def expectation(folder, name, source, what, how="put there by convert/links.py as the specification has it"):
    """The source's expectation for another file."""
    text = (CAPTURES / f"{source}.expect.toml").read_text()
    path = folder / f"{name}.expect.toml"
    made = []
    for line in text.splitlines():
        if line.startswith("description = "):
            line = f'description = "{source}.pcapng {what}; {how}."'
        elif line.startswith("captures = "):
            line = f'captures = ["{name}.pcap"]'
        # An expectation may not name files outside of its folder.
        made.append(line.replace('"pki/', '"'))
    path.write_text("\n".join(made) + "\n")


def take_recording(folder, name, source, recording, what):
    """A recording of the replayed frames, moved to the source's time, when its certificates were valid."""
    link_type = struct.unpack_from("<I", pathlib.Path(recording).read_bytes(), 20)[0]
    frames = pcap.read(recording)
    shift = pcap.read(CAPTURES / f"{source}.pcapng")[0][0] - frames[0][0]
    pcap.write(folder / f"{name}.pcap", link_type, [(time + shift, data) for time, data in frames])
    expectation(folder, name, source, what, "replayed into a Linux interface and recorded there, and moved to its time")


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "root.pem").write_bytes((CAPTURES / "pki" / "root.pem").read_bytes())
    if len(sys.argv) > 2:
        return take_recording(folder, *sys.argv[2:])
    for name, source, link_type, convert, what in CONVERSIONS + UNREAD:
        pcap.write(folder / f"{name}.pcap", link_type, convert(pcap.read(CAPTURES / f"{source}.pcapng")))
        if (name, source, link_type, convert, what) in CONVERSIONS:
            expectation(folder, name, source, what)


if __name__ == "__main__":
    main()
