#!/usr/bin/env python3
"""Draws README's picture, docs/ladder.svg, from a report of the two sample sign-ins:

    cargo run -- analyze captures/pin-sign-in.pcapng captures/usb-sign-in.pcapng --roots captures/pki/root.pem \\
      --format json --fail-on never | docs/ladder.py > docs/ladder.svg

The steps, frames, names and places are the report's; only their layout is decided here.
"""

import json
import sys
from html import escape

WIDTH, SIDE, TOP, STEP = 960, 470, 118, 54
LANES = {"phone": 70, "80": 240, "443": 400}
STYLE = """
text { font: 14px system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: #1c2127 }
.page { fill: #fff; stroke: #c3cad2 } .rail { stroke: #cdd3da; stroke-width: 2 }
.title { font-weight: 700; font-size: 16px } .dim { fill: #545d68; font-size: 12.5px } .lane { font-weight: 600; text-anchor: middle }
.step { stroke: #1c2127; stroke-width: 2; fill: none } .said { text-anchor: middle; font-size: 13px; paint-order: stroke; stroke: #fff; stroke-width: 5px }
.good { fill: #17653a } .bad { fill: #a8201a } .warn { fill: #7a4b00; font-weight: 600 }
.step.bad { stroke: #a8201a; stroke-width: 3; fill: none } .step.good { fill: none } .step.warn { stroke: #7a4b00; stroke-dasharray: 7 6; fill: none }
.paper { fill: #fff } .card { fill: #fff; stroke: #545d68 } .card.bad { fill: #fdeeed; stroke: #a8201a; stroke-width: 2; stroke-dasharray: 6 5 }
.card.good { fill: #e9f6ee; stroke: #17653a; stroke-width: 2 }
.name { text-anchor: middle; font-weight: 600; font-size: 13px } .whence { text-anchor: middle; font-size: 12px; fill: #545d68 }
"""


def text(x, y, words, kind):
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(words)}</text>'


def arrow(x, row, start, end, words, frame, kind=""):
    """One step: an arrow between two lanes, its words above it, its frame at the edge."""
    a, b, y = x + LANES[start], x + LANES[end], TOP + row * STEP
    back = 9 if b < a else -9
    out = [f'<line class="step {kind}" x1="{a}" y1="{y}" x2="{b}" y2="{y}"/>',
           f'<path class="step {kind}" style="stroke-dasharray: none" d="M{b + back} {y - 5}L{b} {y}L{b + back} {y + 5}"/>']
    middle = (a + b) / 2
    if kind == "warn":
        out.append(f'<rect class="paper" x="{middle - 12}" y="{y - 9}" width="24" height="18"/>')
        out.append(f'<path class="step warn" style="stroke-dasharray: none; stroke-width: 3" '
                   f'd="M{middle - 6} {y - 6}l12 12m0 -12l-12 12"/>')
    out.append(text(middle, y - 9, words, f"said {kind}"))
    out.append(text(x + 4, y + 4, frame, "dim"))
    return out


def fetch(x, device):
    absent = next((event for event in device["events"] if event["kind"] == "absent"), None)
    if absent:
        return arrow(x, 0, "phone", "80", absent["summary"], "", "warn")
    event = next(event for event in device["events"] if event["kind"] == "fetch")
    [got] = [fetch for fetch in device["fetches"] if fetch["frame"] == event["frame"]]
    words = f'fetch: {len(got["certificates"])} certificates'
    return arrow(x, 0, "phone", "80", words, f'frame {event["frame"]}')


def handshake(x, device):
    shake = device["handshakes"][-1]
    sent = len(shake["certificates"])
    certificates = "its own certificate alone" if sent == 1 else f"{sent} certificates"
    out = arrow(x, 1, "phone", "443", f'ClientHello, {shake["client_version"]}', f'frame {shake["frame"]}')
    out += arrow(x, 2, "443", "phone", f"ServerHello, {certificates}", "")
    alert = next((alert for alert in shake["alerts"] if alert["level"] == "fatal"), None)
    if alert:
        return out + arrow(x, 3, "phone", "443", f'fatal alert {alert["name"]}', f'frame {alert["frame"]}', "bad")
    return out + arrow(x, 3, "phone", "443", "Finished, data", "", "good")


def ladder(x, device, report):
    status = device["verdict"]["status"]
    capture = device["events"][0]["capture"].rsplit("/", 1)[-1]
    headline = {"fails": ("✗ TLS handshake fails", "bad"), "degraded": ("✓ TLS handshake completes", "good")}[status]
    method = {"pin": "PIN sign-in", "usb-tethered": "USB-tethered sign-in"}[device["sign_in"]["method"]]
    out = [f'<rect class="page" x="{x + 0.5}" y="0.5" width="{SIDE}" height="329" rx="8"/>',
           text(x + 14, 26, headline[0], f"title {headline[1]}"), text(x + 14, 46, f"{method}, {capture}", "dim")]
    server = device["handshakes"][-1]["server"].rsplit(":", 1)[0]
    for lane, title in (("phone", "phone"), ("80", "port 80"), ("443", "port 443")):
        at = x + LANES[lane]
        out.append(f'<line class="rail" x1="{at}" x2="{at}" y1="92" y2="300"/>')
        out.append(text(at, 70, title, "lane"))
        out.append(f'<text x="{at}" y="86" class="whence">{escape(device["id"] if lane == "phone" else server)}</text>')
    return out + fetch(x, device) + handshake(x, device)


def chain(device):
    """What the failing handshake's path needs, leaf first, and which of it was missing."""
    judged = device["handshakes"][-1]["chain"]
    out = [text(14, 362, "the path that the failing phone needed", "title")]
    steps = judged["completed_path"]
    width = (WIDTH - 20 * (len(steps) - 1)) / len(steps)
    for index, step in enumerate(steps):
        x = index * (width + 20)
        missing = any(missing["subject"] == step["subject"] for missing in judged["missing"])
        name = dict(part.split("=", 1) for part in step["subject"].split(",") if "=" in part).get("CN", step["subject"])
        whence = "missing: not sent, not on the phone" if missing else "sent by the server" if index == 0 else "a root of the phone"
        out.append(f'<rect class="card {"bad" if missing else ""}" x="{x + 1}" y="376" width="{width - 2}" height="56" rx="7"/>')
        out.append(text(x + width / 2, 399, name, f'name {"bad" if missing else ""}'))
        out.append(f'<text x="{x + width / 2}" y="419" class="whence">{escape(whence)}</text>')
        if index:
            out.append(text(x - 16, 409, "→", ""))
    return out


report = json.load(sys.stdin)
devices = {device["sign_in"]["method"]: device for device in report["devices"]}
words = ["A PIN sign-in beside a USB-tethered one: the fetch of certificates on port 80 is missing, and the phone refuses the",
         "server's certificate, whose intermediates it does not have."]
lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 440" role="img">', f"<title>{escape(' '.join(words))}</title>",
         f"<style>{STYLE}</style>", f'<rect class="paper" width="{WIDTH}" height="440"/>']
lines += ladder(0, devices["pin"], report) + ladder(WIDTH - SIDE - 1, devices["usb-tethered"], report)
lines += chain(devices["usb-tethered"]) + ["</svg>"]
print("\n".join(lines))
