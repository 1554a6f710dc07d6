#!/usr/bin/env bash
# What people do on Windows, with the Windows program under Wine:
#
#   tests/windows/run.sh chaingap.exe
#
# Needs wine64 and gcc-mingw-w64-x86-64-win32. What is expected follows from how the samples were recorded (their
# expectations), or from Windows itself; nothing is compared with what the program said before.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8 WINEDEBUG=-all WINEPREFIX
work=$(mktemp -d) || exit 1
WINEPREFIX=$work/wine
trap 'wineserver -k 2> /dev/null; rm -rf "$work"' EXIT

mkdir "$work/bin" && cp "$1" "$work/bin/chaingap.exe" &&
  x86_64-w64-mingw32-gcc -shared -O1 -o "$work/bin/bcryptprimitives.dll" tests/windows/bcryptprimitives.c &&
  wineboot --init > "$work/wineboot.log" 2>&1 || { cat "$work/wineboot.log"; exit 1; }

failed=0 count=0
# run STATUS ARGUMENTS…: runs the program, which must exit with this status; its output is in $work/out and $work/err.
run() {
  local wanted=$1 status
  shift
  ran="chaingap $*" count=$((count + 1))
  wine "$work/bin/chaingap.exe" "$@" > "$work/out" 2> "$work/err"
  status=$?
  [ "$status" = "$wanted" ] || wrong "exit status $status instead of $wanted"
}
wrong() {
  failed=$((failed + 1))
  printf '%s\n  %s\n' "$ran" "$1"
  head -n 5 "$work/out" "$work/err" | sed 's/^/  | /'
}
# says TEXT: the output of the last run has this text; tells TEXT: standard error has it.
says() { grep -qF -- "$1" "$work/out" || wrong "does not say: $1"; }
tells() { grep -qF -- "$1" "$work/err" || wrong "does not tell: $1"; }
# value EXPRESSION EXPECTED: a value of the last run's JSON, as Python prints it.
value() {
  local got
  got=$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1], encoding="utf-8")); print(eval(sys.argv[2]))' "$work/out" "$1" 2>&1)
  [ "$got" = "$2" ] || wrong "$1 is $got instead of $2"
}
# A path of this machine as Windows writes it: Wine has the root folder as drive Z.
drive() { printf 'Z:%s' "${1//\//\\}"; }

roots=(--roots 'captures\pki\root.pem')
missing='CN=Northwind Issuing CA 1,O=Northwind'

# The main job: the USB sign-in fails for want of two certificates that the phone with a PIN fetched.
run 1 analyze 'captures\pin-sign-in.pcapng' 'captures\usb-sign-in.pcapng' "${roots[@]}" --format json
value 'sorted(f["name"] for f in r["findings"] if f["severity"] == "error")' "['missing-intermediate']"
value '{m["subject"] for f in r["findings"] if f["severity"] == "error" for m in f["missing"]} == {"CN=Northwind Issuing CA 1,O=Northwind", "CN=Northwind Policy CA 1,O=Northwind"}' True
value '[c["path"] for c in r["captures"]]' "['captures\\\\pin-sign-in.pcapng', 'captures\\\\usb-sign-in.pcapng']"
run 1 analyze 'captures\usb-sign-in.pcapng' "${roots[@]}"
says "✗ 10.20.30.50  TLS handshake fails" && says 'usb-sign-in.pcapng'
run 1 compare 'captures\pin-sign-in.pcapng' 'captures\usb-sign-in.pcapng' "${roots[@]}"

# Every sample against its expectation.
run 0 check captures --require-all
tail -n 1 "$work/out"

# Patterns, which cmd.exe and PowerShell pass on.
run 1 analyze 'captures\*-sign-in.pcapng' --roots 'captures/pki/roo?.pem' --format json
value '[c["path"].split("\\")[-1] for c in r["captures"]]' "['pin-sign-in.pcapng', 'usb-sign-in.pcapng']"
run 0 certs 'CAPTURES\USB-SIGN-IN.PC*' --format json
run 2 analyze 'captures\*.cap'
tells 'no file fits this pattern'
run 2 annotate 'captures\*-sign-in.pcapng' -o "$(drive "$work/none.pcapng")"
tells '2 files fit this pattern, and one is wanted'

# Spaces and umlauts, a drive, and paths of other kinds.
folder=$work/"Über Köln"
mkdir "$folder" && cp captures/usb-sign-in.pcapng "$folder/Messung 1 – März.pcapng" && cp captures/pki/root.pem "$folder/Wurzel ä.pem"
here=$(drive "$folder")
for path in "$here\\Messung 1 – März.pcapng" "\\\\?\\$here\\Messung 1 – März.pcapng" "$here\\Mess*.pcapng" "$here"; do
  run 1 analyze "$path" --roots "$here\\Wurzel ä.pem" --format json
  value '[m["subject"] for f in r["findings"] for m in f["missing"]]' "['$missing']"
  value 'r["captures"][0]["path"].endswith("Über Köln\\Messung 1 – März.pcapng")' True
done
run 1 analyze "\\\\?\\$here\\Messung 1 – März.pcapng" --roots "$here\\Wurzel ä.pem" --format sarif
value 'r["runs"][0]["artifacts"][0]["location"]["uri"]' \
  "file:///Z:$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$folder/Messung 1 – März.pcapng")"
run 2 analyze '\\no-server\share\usb.pcapng'
tells '\\no-server\share\usb.pcapng: '

# What is written.
report="$here\\Bericht ü.html"
run 1 analyze "$here" --roots "$here\\Wurzel ä.pem" -o "$report"
grep -q '<html' "$folder/Bericht ü.html" || wrong 'no HTML was written'
run 2 analyze "$here" -o "$report"
tells 'the file exists; --force overwrites it'
run 1 analyze "$here" --roots "$here\\Wurzel ä.pem" -o "$report" --force
run 2 analyze "$here\\Messung 1 – März.pcapng" -o "$here\\MESSUNG 1 – MÄRZ.PCAPNG" --force
tells 'it would be lost'
run 0 certs "$here" --missing -o "$here\\fehlend" "${roots[@]}"
run 0 annotate "$here\\Messung 1 – März.pcapng" -o "$here\\Auszug.pcapng" "${roots[@]}"
run 0 analyze "$here\\Auszug.pcapng" --fail-on never

# An expectation with the line ends of Windows, in a folder by its drive.
set=$work/set
mkdir -p "$set/sub" && cp captures/usb-sign-in.pcapng captures/pki/root.pem "$set/sub"
printf '%s\r\n' 'schema = "chaingap.expect/1"' 'description = "a phone over USB"' 'stand_in = "none"' \
  "captures = ['sub\\usb-sign-in.pcapng']" '' '[options]' "roots = ['sub/root.pem']" > "$set/phone.expect.toml"
run 0 check "$(drive "$set")" --update --require-all
grep -q 'missing-intermediate' "$set/phone.expect.toml" || wrong 'the expectation was not updated'
grep -qvP '\r$' "$set/phone.expect.toml" && wrong 'lines of the expectation end without CR'
run 0 check "$(drive "$set")" --require-all

# Pipes carry UTF-8 and bytes as they are.
wine "$work/bin/chaingap.exe" analyze - --format jsonl --fail-on never < captures/usb-sign-in.pcapng > "$work/usb.jsonl"
run 0 merge - --format json < "$work/usb.jsonl"
value 'r["reports"]' 1

# A console shows every character and colour.
ran='chaingap on a console' count=$((count + 1))
TERM=xterm script -qec "wine '$work/bin/chaingap.exe' analyze 'captures\usb-sign-in.pcapng' ${roots[*]@Q}" /dev/null \
  > "$work/out" 2> "$work/err" < /dev/null
says $'\e[31m✗' && says '····'

printf '%d runs under %s, %d wrong\n' $count "$(wine --version)" $failed
[ $failed = 0 ]
