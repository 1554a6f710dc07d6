"""Renders Markdown as GitHub does and checks the elements of the result. The arguments are the files."""

import re
import subprocess
import sys

# The HTML elements that the Markdown of a report renders to; no other may appear.
OWN = {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "ul", "ol", "li", "strong"}
wrong, tables = 0, 0
for path in sys.argv[1:]:
    extensions = ["-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist"]
    html = subprocess.run(["cmark-gfm", "--unsafe", *extensions, path], capture_output=True, text=True, check=True).stdout
    found = {name.lower() for name in re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", html)}
    tables += html.count("<table>")
    rest = html.replace("@<!-- -->", "")
    if found - OWN or "<!" in rest:
        print(f"{path}: {sorted(found - OWN)}")
        wrong += 1
    for table in re.findall(r"<table>.*?</table>", html, re.DOTALL):
        cells = {len(re.findall(r"<t[hd]", row)) for row in table.split("<tr>")[1:]}
        if len(cells) != 1:
            print(f"{path}: rows of {sorted(cells)} cells")
            wrong += 1
print(f"Markdown: {len(sys.argv) - 1} documents rendered, {tables} tables, no element but the {len(OWN)} expected ones")
sys.exit(1 if wrong or not tables else 0)
