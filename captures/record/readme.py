"""Writes README.md of the captures from their expectations: readme.py CAPTURES"""
import pathlib
import subprocess
import sys
import tomllib

HEAD = """# Sample captures

Recordings of real programs that talk to each other in network namespaces. No packet in them is computed or changed, but
for those in `links/` and `cases/`; a few recordings were split or cut short afterwards with `editcap`, as their
descriptions say. No capture of a real phone is among them: the column *in place of a phone and its server* says what was
recorded instead.
Each expectation (`NAME.expect.toml`) says what `chaingap` must find in its captures; `chaingap check captures` compares.
The certificates in `pki/` were made for these recordings; their private keys were thrown away.

This command records everything again, with new certificates (as root, since it makes network namespaces;
[CONTRIBUTING.md](../CONTRIBUTING.md#how-a-capture-is-recorded) says how to add one):

    captures/record/record.sh

It installs nothing. On Debian 12 it needs these packages:

    %s

It also needs the Python package `aioquic` and, for `keys-compressed`, `tlslite-ng` 0.8.2, for the `python3` that is found
first, for example in a virtual environment. `NAME.keys` is a key log with the secrets of NAME.pcapng.

`formats/` holds usb-sign-in.pcapng in every other file format and compression that is read, written by
`convert/formats.sh` with Wireshark's editcap. `links/` holds some of these recordings in other links, tunnels, USB
framings and fragments, with the same expectations; `convert/links.sh` makes them from the recordings. There the headers
around the recorded packets are computed, except those that Linux itself put there (VXLAN, cooked captures); each
expectation says which.

`../tests/stacks/` holds what TLS stacks answer to each defect of what a server sends: one recording of a stack has a connection for
each defect. `record/stacks/` makes them: `prepare.sh` gets the stacks, `record.py` records, `read.py` reads the answers with
tshark, and `matrix.py` writes [docs/stacks.md](../docs/stacks.md) and the program's data from them. There the servers' flights
are computed, and the clients are real.

`cases/` holds small captures of what these recordings do not show: segments of other connections, rare forms of messages,
a clock that was never set. Most of their packets are computed, as each expectation says, with certificates of their own.

`server-name-default`, `server-name-warned`, `doubled-extension`, `record-overlong`, `tls10-not-signed`,
`chain-order-refused` and `sha1-not-offered` are of the same kind as those in `cases/`: real clients, some before a server
that sends what no server sends, with TCP checksums made right afterwards.

Captures are pcapng with times in nanoseconds; a few are pcap with microseconds or nanoseconds. This file is written by
`record/readme.py`.

| expectation | what is true | expected | in place of a phone and its server |
|---|---|---|---|
"""


def named(findings):
    return ", ".join(f"{each['name']} ({each['proof']})" for each in findings)


def expected(expectation):
    lines = []
    for device in expectation.get("device", []):
        findings = named(device.get("finding", []))
        lines.append(f"{device['device']} **{device['verdict']}**" + (f": {findings}" if findings else ""))
    if "finding" in expectation:
        lines.append("no device: " + named(expectation["finding"]))
    return "<br>".join(lines)


folder = pathlib.Path(sys.argv[1])
packages = subprocess.run([folder / "record" / "record.sh", "--packages"], capture_output=True, text=True, check=True)
rows = []
names = {str(path.relative_to(folder)).removesuffix(".expect.toml"): path
         for pattern in ("*.expect.toml", "cases/*.expect.toml") for path in folder.glob(pattern)}
for name, path in sorted(names.items()):
    expectation = tomllib.loads(path.read_text())
    cells = (name, expectation["description"], expected(expectation),
             expectation["stand_in"])
    rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
(folder / "README.md").write_text(HEAD % packages.stdout.strip() + "".join(rows))
