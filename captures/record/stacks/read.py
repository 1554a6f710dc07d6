"""Reads the answers off the recordings with tshark: read.py TRUTH.toml...

TRUTH.toml says what is true of each connection by construction; this adds the client's `answer`:

    accepts          it sent its request; or its Finished, to a server that could go no further
    alert N          it sent this alert before its Finished
    close, reset     it ended the connection without an alert
    ... after        the same after its Finished, encrypted

and the `[hello]` that all connections have. With `side = "server"` it is the server that answers. tshark knows nothing of
the defects.
"""
import collections
import pathlib
import subprocess
import sys
import tomllib

FIELDS = ["tcp.stream", "ip.src", "ip.dst", "tcp.flags.fin", "tcp.flags.reset", "tls.record.content_type", "tls.record.opaque_type",
          "tls.alert_message.level", "tls.alert_message.desc", "tls.handshake.type"]
HELLO = {"suites": "tls.handshake.ciphersuite", "extensions": "tls.handshake.extension.type",
         "groups": "tls.handshake.extensions_supported_group", "signature_algorithms": "tls.handshake.sig_hash_alg",
         "versions": "tls.handshake.extensions.supported_version", "point_formats": "tls.handshake.extensions_ec_point_format",
         "version": "tls.handshake.version", "compressions": "tls.handshake.comp_method"}
# signature_algorithms (13) and signature_algorithms_cert (50) come in one field, one after the other.
SCHEME_BYTES = "tls.handshake.sig_hash_alg_len"


def tshark(capture, fields, display):
    command = ["tshark", "-n", "-r", capture, "-o", "tcp.reassemble_out_of_order:TRUE", "-o",
               f"tls.keylog_file:{capture.with_suffix('.keys')}", "-Y", display, "-T", "fields", "-E", "occurrence=a",
               "-E", "aggregator=,", *(word for field in fields for word in ("-e", field))]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        yield dict(zip(fields, line.split("\t")))


def numbers(text):
    return [int(each, 0) for each in text.split(",") if each]


def streams(capture):
    """By client address: the frames of its connections."""
    found = collections.defaultdict(dict)
    for frame in tshark(capture, FIELDS, "tcp"):
        from_client = frame["ip.src"].startswith("10.20.32.")
        client = frame["ip.src" if from_client else "ip.dst"]
        found[client].setdefault(int(frame["tcp.stream"]), []).append((from_client, frame))
    return found


def answer(frames, side):
    """What that side answers."""
    changed = False
    alert = ended = None
    for from_client, frame in frames:
        closing = "reset" if frame["tcp.flags.reset"] == "1" else "close" if frame["tcp.flags.fin"] == "1" else None
        if from_client != (side == "client"):
            if closing and changed and not (alert or ended):
                return "accepts"
            continue
        kinds = numbers(frame["tls.record.content_type"]) + numbers(frame["tls.record.opaque_type"])
        if 23 in kinds:
            return "accepts"
        changed = changed or 20 in kinds
        after = " after" if changed else ""
        # close_notify, and warnings that end nothing, are no answer.
        for level, description in zip(numbers(frame["tls.alert_message.level"]), numbers(frame["tls.alert_message.desc"])):
            if level == 2 or description not in (0, 100):
                alert = alert or f"alert {description}{after}"
        if closing:
            ended = ended or closing + after
    return alert or ended


def schemes(shape, sizes):
    """Those of signature_algorithms, without those for certificates."""
    order = [each for each in shape["extensions"] if each in (13, 50)]
    if 13 not in order:
        return []
    start = sum(sizes[:order.index(13)]) // 2
    listed = shape["signature_algorithms"][start:start + sizes[order.index(13)] // 2]
    return [each for each in listed if not grease(each)]


def telling(answers):
    """(stream, answer): a browser opens a second connection, which it may close unused."""
    rank = lambda item: 0 if item[1] == "accepts" else 1 if item[1] and item[1].startswith("alert") else 2
    return min(answers.items(), key=rank)


def grease(number):
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def hello(capture):
    """The ClientHello of every connection: what is the same in all, without GREASE, the name and the padding."""
    shapes = []
    for frame in tshark(capture, [*HELLO.values(), SCHEME_BYTES], "tls.handshake.type == 1"):
        shape = {name: numbers(frame[field]) for name, field in HELLO.items()}
        shape["signature_algorithms"] = schemes(shape, numbers(frame[SCHEME_BYTES]))
        shape["version"] = shape["version"][:1]
        shape["grease"] = any(map(grease, shape["suites"]))
        for name in ("suites", "extensions", "groups", "versions"):
            shape[name] = [each for each in shape[name] if not grease(each)]
        shape["extensions"] = [each for each in shape["extensions"] if each not in (0, 21)]
        shapes.append(shape)
    first = shapes[0]
    permuted = any(each["extensions"] != first["extensions"] for each in shapes)
    for name in first:
        if name != "extensions" and any(shape[name] != first[name] for shape in shapes):
            print(f"{capture.name}: hellos differ in {name}", file=sys.stderr)
    if permuted:
        first["extensions"] = sorted(first["extensions"])
        if any(sorted(each["extensions"]) != first["extensions"] for each in shapes):
            print(f"{capture.name}: hellos differ in their extensions", file=sys.stderr)
    return {"version": first.pop("version")[0], **first, "permuted": permuted}


def read(path):
    truth = tomllib.loads(path.read_text())
    capture = path.parent / truth["capture"]
    found, side = streams(capture), truth.get("side", "client")
    for each in truth["connection"]:
        mine = found.get(each["client"], {})
        answers = {stream: answer(frames, side) for stream, frames in sorted(mine.items())}
        if not answers:
            print(f"{path.name}: {each['defects']}: no connection", file=sys.stderr)
            continue
        each["stream"], each["answer"] = telling(answers)
        if each["answer"] is None:
            print(f"{path.name}: {each['defects']}: no answer", file=sys.stderr)
            each.pop("answer")
        if len(each["defects"]) == 2:
            each["refused"], each["accepted"] = each["defects"]
    if side == "client":
        truth["hello"] = hello(capture)
    write(path, truth)


def value(item):
    if isinstance(item, bool):
        return str(item).lower()
    if isinstance(item, list):
        return "[" + ", ".join(map(value, item)) + "]"
    return f'"{item}"' if isinstance(item, str) else str(item)


def write(path, truth):
    tables = {name: item for name, item in truth.items() if isinstance(item, dict)}
    lists = {name: item for name, item in truth.items() if isinstance(item, list) and item and isinstance(item[0], dict)}
    lines = [f"{name} = {value(item)}" for name, item in truth.items() if name not in tables and name not in lists]
    for name, table in tables.items():
        lines += ["", f"[{name}]"] + [f"{key} = {value(item)}" for key, item in table.items()]
    for name, items in lists.items():
        for item in items:
            lines += ["", f"[[{name}]]"] + [f"{key} = {value(each)}" for key, each in item.items()]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        read(pathlib.Path(argument))
