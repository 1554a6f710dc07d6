"""Records what stacks answer to every defect: record.py TOOLS OUT [--pairs | --servers] [STACK...]

Each stack's client connects to one server for each defect, in network namespaces of their own; OUT/STACK.pcapng holds
all its connections, each with an address of its own on both sides, OUT/STACK.keys the secrets of those that went on to
be encrypted, OUT/STACK.pem the anchors of the client, OUT/STACK.toml what is true of each by construction. The answers
are read off the recording (read.py).
With --pairs, servers have two defects: one that the stack refused, one that it accepted (OUT/STACK-pairs.*).
With --servers, the stack is the server, and s_client comes with one defect in its certificate (OUT/STACK-server.*).
Must be run as root. SPACE=PREFIX names the namespaces, so that two runs do not meet. LOGS=DIR keeps what the programs say.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pairs
import read
from servers import SERVERS
from stacks import STACKS

here = pathlib.Path(__file__).resolve().parent
space = os.environ.get("SPACE", "chaingap-stacks")
SERVER, CLIENT = f"{space}-server", f"{space}-client"
# Not the settings of this machine: stores, proxies, the configuration of OpenSSL.
environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "OPENSSL_CONF": "/dev/null"}


def run(command, **options):
    return subprocess.run(command, check=True, **options)


@contextlib.contextmanager
def network(count):
    """Two namespaces with a cable: server 10.20.31.N is reached from 10.20.32.N."""
    try:
        for name in (SERVER, CLIENT):
            run(["ip", "netns", "add", name])
            run(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1",
                 "net.ipv6.conf.all.disable_ipv6=1"])
        run(["ip", "link", "add", "lan", "address", "02:15:5d:20:31:10", "netns", SERVER, "type", "veth",
             "peer", "name", "eth0", "address", "02:15:5d:20:32:50", "netns", CLIENT])
        for name, link, net in ((SERVER, "lan", 31), (CLIENT, "eth0", 32)):
            lines = [f"link set {link} up", "link set lo up"]
            lines += [f"addr add 10.20.{net}.{each}/16 dev {link}" for each in range(1, count + 1)]
            if name == CLIENT:
                lines += [f"route add 10.20.31.{each}/32 dev eth0 src 10.20.32.{each}" for each in range(1, count + 1)]
            run(["ip", "-n", name, "-batch", "-"], input="\n".join(lines), text=True)
            # Segments are recorded as they would be on a cable.
            subprocess.run(["ip", "netns", "exec", name, "ethtool", "-K", link, "tx", "off", "rx", "off", "tso", "off",
                            "gso", "off", "gro", "off"], capture_output=True)
        yield
    finally:
        for name in (SERVER, CLIENT):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


@contextlib.contextmanager
def in_server(command, log):
    """A program in the server's namespace, for as long as the block runs."""
    with open(log, "w") as said:
        process = subprocess.Popen(["ip", "netns", "exec", SERVER, *command], stdin=subprocess.PIPE, stdout=said, stderr=said,
                                   env=environment)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def recorder(work):
    return in_server(["tcpdump", "-i", "lan", "--immediate-mode", "-U", "-s", "0", "--time-stamp-precision=nano", "-w",
                      work / "recording", "tcp port 443"], work / "recorder.log")


def connect(work, truth, command):
    """One client after the other; `command` gives the command for one of them."""
    listens = ["ip", "netns", "exec", SERVER, "ss", "-ltnH", "sport = :443"]
    for _ in range(100):
        if subprocess.run(listens, capture_output=True).stdout:
            break
        time.sleep(0.2)
    else:
        raise RuntimeError("nothing listens: " + (work / "server.log").read_text())
    time.sleep(1)
    with open(work / "client.log", "w") as log:
        for each in truth:
            log.write(f"== {each['defects']}\n")
            log.flush()
            script = f"mount --bind {work}/hosts /etc/hosts; {command(each)}"
            subprocess.run(["ip", "netns", "exec", CLIENT, "unshare", "-m", "timeout", "-k", "1", "20", "bash", "-c", script],
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=work)
    time.sleep(1)


def told(text, tools, work, **more):
    words = {"TOOLS": tools, "HERE": here, "WORK": work, "PYTHON": sys.executable, "ANCHORS": work / "anchors.pem", **more}
    for word, value in words.items():
        text = text.replace(word, str(value))
    return text


def keep(work, out, name, stack, tools, truth, **more):
    """Puts the recording with its truth among the captures, and reads its answers."""
    version = stack.told_version(
        lambda command: subprocess.run(["bash", "-c", told(command, tools, work)], capture_output=True, text=True).stdout)
    run(["editcap", "-F", "pcapng", work / "recording", out / f"{name}.pcapng"])
    shutil.copy(work / "anchors.pem", out / f"{name}.pem")
    if (work / "keys").exists():
        shutil.copy(work / "keys", out / f"{name}.keys")
    if logs := os.environ.get("LOGS"):
        for log in ("client.log", "server.log"):
            shutil.copy(work / log, pathlib.Path(logs) / f"{name}.{log}")
    read.write(out / f"{name}.toml", {
        "stack": name.removesuffix("-pairs").removesuffix("-server"), "name": stack.name, "version": version,
        "program": stack.words, "capture": f"{name}.pcapng", **more, "connection": truth})
    read.read(out / f"{name}.toml")


def record_client(identifier, tools, out, work, wanted, suffix):
    stack = STACKS[identifier]
    run([sys.executable, here / "build.py", work, *wanted])
    truth = json.loads((work / "truth.json").read_text())
    if stack.prepare:
        run(["bash", "-c", told(stack.prepare, tools, work)], env=environment)
    server = [sys.executable, here / "server.py", work / "servers.json", work / "keys"]
    with network(len(truth)), in_server(server, work / "server.log"), recorder(work):
        connect(work, truth, lambda each: told(stack.client, tools, work, HOST=each["host"]))
    said = (work / "server.log").read_text().splitlines()
    skipped = {line.split()[1] for line in said if line.startswith("not-offered")}
    keep(work, out, identifier + suffix, stack, tools, [each for each in truth if each["server"] not in skipped])


def record_server(identifier, tools, out, work):
    run([sys.executable, here / "build.py", work, "--client-certificates"])
    truth = json.loads((work / "truth.json").read_text())
    command = told(SERVERS[identifier], tools, work, CHAIN=work / "server.pem", KEY=work / "server.key",
                   STORE=work / "server.p12")

    def client(each):
        own = work / each["defects"][0]
        certificate = f"-cert {own}.leaf -key {own}.key" if own.with_suffix(".leaf").exists() else ""
        if own.with_suffix(".pem").exists():
            certificate += f" -cert_chain {own}.pem"
        return f"(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 1) | openssl s_client -connect {each['server']}:443 -tls1_2 " \
            f"-servername {each['host']} -CAfile {work}/anchors.pem -keylogfile {work}/keys {certificate} -ign_eof -quiet"

    with network(len(truth)), in_server(["bash", "-c", "exec " + command], work / "server.log"), recorder(work):
        connect(work, truth, client)
    keep(work, out, f"{identifier}-server", STACKS[identifier], tools, truth, side="server")


def main():
    tools, out, *names = sys.argv[1:]
    tools, out = pathlib.Path(tools).resolve(), pathlib.Path(out).resolve()
    mode = names.pop(0) if names and names[0].startswith("--") else ""
    for name in names or (SERVERS if mode == "--servers" else STACKS):
        print("recording", name, mode, flush=True)
        with tempfile.TemporaryDirectory(prefix="stacks-") as work:
            work = pathlib.Path(work)
            if mode == "--servers":
                record_server(name, tools, out, work)
            elif mode == "--pairs":
                record_client(name, tools, out, work, pairs.chosen(out / f"{name}.toml"), "-pairs")
            else:
                record_client(name, tools, out, work, [], "")


main()
