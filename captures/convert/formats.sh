#!/usr/bin/env bash
# Re-makes captures/formats/: one recording in every file format that is read, each with an expectation that says what
# the recording's own says.
#
# The files are written by Wireshark's editcap and tshark, gzip and zstd. It needs the Debian packages wireshark-common,
# tshark, gzip and zstd; nothing is installed, and nothing outside of a temporary folder and captures/formats/ is touched.
set -euo pipefail
umask 022
# Network Monitor's old formats hold the local time of the computer that captured.
export TZ=UTC

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
captures=$(dirname "$here")
out=$captures/formats
name=usb-sign-in
source=$captures/$name.pcapng
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# expectation FILE WORDS: writes the recording's expectation for this file.
expectation() {
    sed -e "s|^description = .*|description = \"$name.pcapng $2: nothing else is different.\"|" \
        -e "s|^captures = .*|captures = [\"$1\"]|" -e 's|"pki/|"|' "$captures/$name.expect.toml" > "$out/$1.expect.toml"
}

# as FORMAT END WORDS [editcap's options]: the recording in one of editcap's formats.
as() {
    local file=$name.$1.$2
    editcap -F "$1" "${@:4}" "$source" "$out/$file" 2> "$work/said" || { cat "$work/said" >&2; exit 1; }
    expectation "$file" "$3"
}

rm -rf "$out"
mkdir -p "$out"
cp "$captures/pki/root.pem" "$out/"

as pcap pcap "as pcap with microseconds"
as nsecpcap pcap "as pcap with nanoseconds"
as modpcap pcap "as Kuznetzov's modified pcap of 1999-10-29, with record headers of 24 bytes"
as suse6_3pcap pcap "as Kuznetzov's modified pcap of 1999-09-15, as SuSE 6.3 wrote it, with record headers of 28 bytes"
as rh6_1pcap pcap "as Kuznetzov's modified pcap of 1999-04-17, as Red Hat 6.1 wrote it, which has plain pcap's magic number"
as nokiapcap pcap "as Nokia's pcap, which has plain pcap's magic number"
as netmon1 cap "as Microsoft Network Monitor 1.x writes it, with milliseconds"
as netmon2 cap "as Microsoft Network Monitor 2.x writes it"

# pcapng with the other blocks that it may contain.
printf 'CLIENT_RANDOM %064d %096d\n' 1 2 > "$work/keys"
printf '10.20.30.10 lyncpool.contoso.test\n10.20.30.50 phone.contoso.test\n' > "$work/hosts"
editcap --inject-secrets "tls,$work/keys" --capture-comment "a comment on the capture" -a 18:"a comment on a packet" \
    "$source" "$out/$name.secrets.pcapng"
expectation "$name.secrets.pcapng" "with a block of TLS secrets, for connections that are not in it, and comments"
# Two passes that look at every field, because tshark writes only the names that it came across.
tshark -2 -V -N n -r "$source" -H "$work/hosts" -W n -F pcapng -w "$out/$name.names.pcapng" > /dev/null 2>&1
expectation "$name.names.pcapng" "with a block of resolved names"
{ cat "$source"; printf 'what a broken copy left behind the last block'; } > "$out/$name.trailing.pcapng"
expectation "$name.trailing.pcapng" "with text behind its last block"

# Compressed: as a whole; in members compressed one by one, as when rotated files are joined; one compression inside
# another.
size=$(stat -c %s "$source")
head -c $((size / 2)) "$source" > "$work/head"
tail -c +$((size / 2 + 1)) "$source" > "$work/tail"
gzip -9nc "$source" > "$out/$name.pcapng.gz"
expectation "$name.pcapng.gz" "compressed with gzip"
{ gzip -9nc "$work/head"; gzip -9nc "$work/tail"; } > "$out/$name.members.pcapng.gz"
expectation "$name.members.pcapng.gz" "compressed with gzip, in two members"
zstd -19 -qc "$source" > "$out/$name.pcapng.zst"
expectation "$name.pcapng.zst" "compressed with zstd"
# A skippable frame (RFC 8878, section 3.1.2): magic number, length, content.
{ zstd -19 -qc "$work/head"; printf '\x53\x2a\x4d\x18\x07\x00\x00\x00skipped'; zstd -19 -qc "$work/tail"; } \
    > "$out/$name.frames.pcapng.zst"
expectation "$name.frames.pcapng.zst" "compressed with zstd, in two frames with one to be skipped between them"
gzip -9nc "$source" | zstd -19 -qc > "$out/$name.pcapng.gz.zst"
expectation "$name.pcapng.gz.zst" "compressed with gzip, and that with zstd"
gzip -9nc "$out/$name.netmon2.cap" > "$out/$name.netmon2.cap.gz"
expectation "$name.netmon2.cap.gz" "as Microsoft Network Monitor 2.x writes it, compressed with gzip"

echo "$(find "$out" -name '*.expect.toml' | wc -l) files in captures/formats"
