#!/bin/bash
# Times chaingap beside programs that read the same captures, and prints Markdown tables.
#
# usage: benches/peers.sh CAPTURE...          e.g. those that benches/bin/bench_captures.rs makes
#
#   CHAINGAP=target/release/chaingap   the program
#   RUNS=5                             runs of each
#   SLOW=1                             runs of those programs that take over 10 s
#   CORE=0                             all run on this processor alone
#
# All programs take turns, so that a machine that is busy for a while slows all of them. The tables hold medians of the
# wall time in seconds and, in brackets, the ratio to chaingap's; the last line gives the spread of chaingap's own runs.
# Installs nothing: a program that is not installed is named and left out.
set -u
chaingap=${CHAINGAP:-target/release/chaingap}
runs=${RUNS:-5}
slow=${SLOW:-1}
core=${CORE:-0}
[ $# -gt 0 ] || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2; }
command -v "$chaingap" >/dev/null || { echo "$0: no $chaingap: cargo build --release" >&2; exit 2; }

names=(chaingap tcpdump capinfos ndpiReader ssldump tshark)
# tcpdump only filters, capinfos only counts; the others look into TLS.
run() {
    case $1 in
    chaingap) "$chaingap" -q analyze --profile none --fail-on never --format json "$2" ;;
    tcpdump) tcpdump -r "$2" -w /dev/null 'tcp port 443' ;;
    capinfos) capinfos -c "$2" ;;
    ndpiReader) ndpiReader -q -i "$2" ;;
    ssldump) ssldump -n -r "$2" ;;
    tshark) tshark -n -r "$2" -Y tls.handshake.certificate -T fields -e ip.src -e tls.handshake.certificate ;;
    esac >/dev/null 2>&1
}

found=()
for name in "${names[@]}"; do
    if [ "$name" = chaingap ] || command -v "$name" >/dev/null; then found+=("$name"); else missing+=" $name"; fi
done
[ -z "${missing:-}" ] || echo "not installed, left out:$missing" >&2
taskset -pc "$core" $$ >/dev/null 2>&1 || echo "not bound to processor $core" >&2

median() { sort -n | awk '{ all[NR] = $1 } END { print NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2 }'; }

printf '| capture |'; printf ' %s |' "${found[@]}"; echo
printf '|---|'; printf -- '--:|%.0s' "${found[@]}"; echo
for capture in "$@"; do
    declare -A times=() skip=()
    cat "$capture" >/dev/null
    for ((turn = 0; turn < runs; turn++)); do
        for name in "${found[@]}"; do
            [ -z "${skip[$name]:-}" ] || continue
            start=$EPOCHREALTIME
            run "$name" "$capture"
            end=$EPOCHREALTIME
            took=$(awk "BEGIN { print $end - $start }")
            times[$name]+="$took"$'\n'
            awk "BEGIN { exit !($took > 10 && $turn + 1 >= $slow) }" && skip[$name]=1
        done
    done
    own=$(printf %s "${times[chaingap]}" | median)
    printf '| %s |' "$(basename "$capture")"
    for name in "${found[@]}"; do
        printf %s "${times[$name]}" | median | awk -v own="$own" '{ printf " %.3f (%.2f) |", $1, $1 / own }'
    done
    echo
    spread+="$(basename "$capture") $(printf %s "${times[chaingap]}" | sort -n | awk -v own="$own" \
        'NR == 1 { low = $1 } END { printf "%.0f to %.0f %%", 100 * low / own, 100 * $1 / own }'), "
done
echo
echo "Fastest and slowest run of chaingap, relative to its median: ${spread%, }. Load: $(cut -d' ' -f1-3 /proc/loadavg)."
