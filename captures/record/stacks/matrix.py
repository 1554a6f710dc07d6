"""Writes who refuses what from the recordings: matrix.py REPOSITORY [--check | --differences STACK STACK]

In: tests/stacks/*.toml, the answers that read.py read off the recordings, and documented.toml, what is only documented
or inferred. Out: src/trust/stacks.toml for the program, docs/stacks.md for people, and an expectation for each recording.
"""
import collections
import pathlib
import sys
import tomllib

from defects import DEFECTS
from servers import CLIENT_DEFECTS
from stacks import STACKS

ALERTS = {
    10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure", 42: "bad_certificate",
    43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
    47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
    70: "protocol_version", 71: "insufficient_security", 80: "internal_error", 90: "user_canceled",
    109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name", 113: "bad_certificate_status_response",
    116: "certificate_required",
}
HEAD = """# Who refuses what: the answers of TLS stacks to defects of what a server sends. Written by
# captures/record/stacks/matrix.py from the recordings in tests/stacks/; do not edit.
#
# [[defect]]: `code` is the finding it belongs to. With `by = "server"` the client's certificate has it, and the answers
# are those of the stack as a server.
# [[stack]]: one program that was recorded (`provenance = "measured"`), or one that is only documented.
#   answers: "accepts", "alert N", "close" or "reset"; with " after" it came after the handshake, encrypted if an alert.
#     A defect that is not named was not measured: the stack does not offer what it needs.
#   hello: the ClientHello of its defaults. GREASE, server_name (0) and padding (21), which depend on the name, are left
#     out. `permuted`: the order of the extensions changes, so they are listed by number. Only what the program itself
#     asks for (ALPN, OCSP staple) adds extensions.
#   documented: answers that nobody recorded, each with its provenance and source.
"""
PAGE = """# Who refuses what

An ideal verifier accepts certificates in any order and tries every path. Real ones do not, and they differ. This page says
what each TLS stack did with each defect of what a server sends: a recorded answer, not a documented one. It is written by
`captures/record/stacks/matrix.py` from the recordings in `tests/stacks/`, as is the program's own copy,
`src/trust/stacks.toml`.

**How it was measured.** For each defect a server sends one flight that is sound but for this defect, at TLS 1.2. The client
is the stack itself with the defaults of its library, with the root as an anchor, and it checks the server's name. The
answer is what the recording shows, read by tshark: `accepts` (the client went on and sent its request), the alert that the
client sent, or `closes` and `resets` without an alert. *After* means that the handshake had completed: the stack judges
afterwards. An empty cell was not measured, since the stack does not offer what the defect needs.

**The chain**, where nothing else is said: root (an anchor, not sent), policy CA, issuing CA, leaf; the CAs have keys of
P-256 with SHA-256, the leaf has RSA of 2048 bits. The key exchange is ECDHE.

Answers belong to the version that was measured; another version, another build or an application's own settings can answer
differently. Where a stack's answer depends on how it is used, the program below says how it was.

"""
LACKING = """
## What is not here

Schannel, Secure Transport, LibreSSL, s2n and Windows CE were not recorded: no program of theirs could be had. What is known
of Schannel and Windows CE is documented or inferred only, and its form on the wire is mostly not known:

"""
ADDING = """
## To add a stack or a defect

A stack is an entry in `captures/record/stacks/stacks.py` and a client that takes the anchors and a host; a defect is an entry
in `defects.py`. `prepare.sh` gets the programs, then as root:

    captures/record/stacks/record.py TOOLS tests/stacks STACK            # every defect against this stack
    captures/record/stacks/record.py TOOLS tests/stacks --pairs STACK    # pairs: one that it refuses, one that it accepts
    captures/record/stacks/record.py TOOLS tests/stacks --servers STACK  # the stack as a server
    captures/record/stacks/matrix.py .                                      # writes this page and the program's data

Each recording has its truth beside it: what is wrong by construction, and the answer that tshark read.
"""


def cell(answer):
    if answer is None:
        return ""
    kind, *rest = answer.split()
    words = {"accepts": "accepts", "close": "closes", "reset": "resets", "refuses": "refuses"}.get(kind)
    if kind == "alert":
        words = ALERTS[int(rest[0])]
    return words + (" *after*" if rest[-1:] == ["after"] else "")


def load(folder):
    """Each stack in the order of its table, with the answers of all its recordings of single defects."""
    loaded = {}
    for identifier in STACKS:
        path = folder / f"{identifier}.toml"
        if not path.exists():
            continue
        stack = tomllib.loads(path.read_text())
        stack["captures"], stack["answers"] = [stack["capture"]], answers(stack)
        server = folder / f"{identifier}-server.toml"
        if server.exists():
            truth = tomllib.loads(server.read_text())
            stack["captures"].append(truth["capture"])
            stack["answers"] |= answers(truth)
        loaded[identifier] = stack
    return loaded


def answers(truth):
    """By defect; to take a sound server is no answer to a defect."""
    return {each["defects"][0]: each["answer"] for each in truth["connection"]
            if each["defects"][0] not in ("nothing", "client-nothing")}


def defects():
    """(identifier, code, words, who is asked) of everything that can be wrong."""
    for identifier, (code, words, _) in DEFECTS.items():
        if code:
            yield identifier, code, words, "client"
    for identifier, (words, _) in CLIENT_DEFECTS.items():
        if identifier != "client-nothing":
            yield identifier, "CG013", words, "server"


def data(stacks, documented):
    lines = [HEAD]
    for identifier, code, words, by in defects():
        lines += ["[[defect]]", f'id = "{identifier}"', f'code = "{code}"', f'words = "{words}"']
        lines += ['by = "server"', ""] if by == "server" else [""]
    for identifier, stack in stacks.items():
        lines += ["[[stack]]", f'id = "{identifier}"', f'name = "{stack["name"]}"', f'versions = "{stack["version"]}"',
                  f'program = "{stack["program"]}"', 'provenance = "measured"', 'tls = "TLS 1.2"',
                  "captures = [" + ", ".join(f'"tests/stacks/{each}"' for each in stack["captures"]) + "]", "",
                  "[stack.hello]"]
        for name, item in stack["hello"].items():
            match item:
                case bool(): lines.append(f"{name} = {str(item).lower()}")
                case int(): lines.append(f"{name} = 0x{item:04x}")
                case _: lines.append(f"{name} = [" + ", ".join(number(name, each) for each in item) + "]")
        lines += ["", "[stack.answers]"]
        lines += [f'{each} = "{stack["answers"][each]}"' for each, *_ in defects() if each in stack["answers"]] + [""]
    for stack in documented["stack"]:
        lines += ["[[stack]]", *(f'{name} = "{stack[name]}"' for name in ("id", "name", "versions", "program")),
                  'provenance = "documented"', ""]
        for each in stack["documented"]:
            lines += ["[[stack.documented]]", *(f'{name} = "{item}"' for name, item in each.items()), ""]
    return "\n".join(lines)


def number(name, item):
    return str(item) if name in ("extensions", "point_formats", "compressions", "groups") else f"0x{item:04x}"


def page(stacks, documented):
    given = [answer for stack in stacks.values() for answer in stack["answers"].values()]
    kinds = collections.Counter(cell(each) for each in given)
    counts = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    lines = [PAGE.rstrip("\n"), "", f"{len(given)} answers of {len(stacks)} stacks: {counts}.", ""]
    lines += ["| stack | version | what was measured | recording |", "|---|---|---|---|"]
    for identifier, stack in stacks.items():
        links = ", ".join(f"[{each}](../tests/stacks/{each})" for each in stack["captures"])
        lines.append(f"| {identifier} | {stack['name']} {stack['version']} | {stack['program']} | {links} |")
    lines += ["", "## What clients refuse", ""] + table(stacks, "client")
    servers = {name: stack for name, stack in stacks.items() if "client-certificate-absent" in stack["answers"]}
    if servers:
        lines += ["", "## What servers refuse in a client's certificate", ""] + table(servers, "server")
    lines.append(LACKING)
    lines += ["| stack | defect | answer | known | source |", "|---|---|---|---|---|"]
    for stack in documented["stack"]:
        for each in stack["documented"]:
            lines.append(f"| {stack['name']} {stack['versions']} | `{each['defect']}` | {cell(each['answer'])} | "
                         f"{each['provenance']} | {each['source']} |")
    lines.append(ADDING.rstrip("\n"))
    return "\n".join(lines) + "\n"


def table(stacks, side):
    lines = ["| code | defect | " + " | ".join(stacks) + " |", "|---|---|" + "---|" * len(stacks)]
    for identifier, code, words, by in defects():
        if by == side:
            lines.append(f"| {code} | {words} (`{identifier}`) | " +
                         " | ".join(cell(stack["answers"].get(identifier)) for stack in stacks.values()) + " |")
    return lines


EXPECTATION = """schema = "chaingap.expect/1"
description = \"\"\"{stack}: {what}.
Each has an address of its own, and {name}.toml says which is which. The device named here meets a sound server.\"\"\"
stand_in = "{stack}, and a server made for these recordings"
captures = ["{name}.pcapng"]

[options]
device = "10.20.32.1"
roots = ["{name}.pem"]
profile = "none"

[[device]]
device = "10.20.32.1"
verdict = "ok"
sign_in = "unknown"
"""


def expectations(folder):
    for path in sorted(folder.glob("*.toml")):
        if path.name.endswith(".expect.toml"):
            continue
        truth = tomllib.loads(path.read_text())
        name = path.stem
        if name.endswith("-pairs"):
            what = "handshakes whose servers have two defects, one that it refuses and one that it accepts"
        elif name.endswith("-server"):
            what = "handshakes as a server that wants a client certificate, which has a defect"
        else:
            what = "handshakes with servers that have one defect each"
        yield folder / f"{name}.expect.toml", EXPECTATION.format(
            stack=f"{truth['name']} {truth['version']}", what=what, name=name)


def main():
    root, *rest = sys.argv[1:]
    root = pathlib.Path(root)
    stacks = load(root / "tests/stacks")
    documented = tomllib.loads((pathlib.Path(__file__).parent / "documented.toml").read_text())
    if rest[:1] == ["--differences"]:
        first, second = (stacks[each]["answers"] for each in rest[1:3])
        for identifier, *_ in defects():
            if first.get(identifier) != second.get(identifier):
                print(f"{identifier}: {cell(first.get(identifier))} | {cell(second.get(identifier))}")
        return
    written = {root / "src/trust/stacks.toml": data(stacks, documented), root / "docs/stacks.md": page(stacks, documented)}
    written |= dict(expectations(root / "tests/stacks"))
    for path, text in written.items():
        if "--check" not in rest:
            path.write_text(text)
        elif path.read_text() != text:
            sys.exit(f"{path} is not what the recordings say")


main()
