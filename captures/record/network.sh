# The network of a recording, and the recorder.
#
#   phone 10.20.30.50 ── lan50 ┐
#                              ├─ bridge lan, 10.20.30.10, the server
#   phone 10.20.30.51 ── lan51 ┘
#
# Each phone has a network namespace of its own, joined by a veth pair to a bridge in the server's namespace.
# The server's address is on the bridge, and there the recorder listens. Phone 50 can be set behind a router: see `routed_phone`.

server_ip=10.20.30.10
server_ip6=fd00:10:20:30::10
space=${SPACE:-chaingap-rec} # with another prefix two runs do not meet
recorder_pid=
tap_pid=

in_server() { ip netns exec $space-server "$@"; }
in_phone() { local phone=$1; shift; ip netns exec "$space-phone$phone" "$@"; }
in_router() { ip netns exec $space-router "$@"; }
# The same in the background; it ends with the network.
start_in_server() { ip netns exec $space-server "$@" & }
start_in_phone() { local phone=$1; shift; ip netns exec "$space-phone$phone" "$@" & }

network_up() {
    ip netns add $space-server
    in_server sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
    in_server ip link set lo up
    in_server ip link add lan address 02:15:5d:20:30:10 type bridge mcast_snooping 0
    in_server ip link set lan up
    in_server ip addr add $server_ip/24 dev lan
    plain_frames in_server lan
    add_phone 50
    add_phone 51
}

# A phone without an address: it gets one by DHCP, or by `phone_address`.
add_phone() {
    local phone=$1
    ip netns add "$space-phone$phone"
    in_phone "$phone" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
    in_phone "$phone" ip link set lo up
    ip link add eth0 address "02:15:5d:20:30:$phone" netns "$space-phone$phone" type veth \
        peer name "lan$phone" netns $space-server
    in_server ip link set "lan$phone" master lan up
    in_phone "$phone" ip link set eth0 up
    plain_frames in_server "lan$phone"
    plain_frames "in_phone $phone" eth0
}

# No offloading: checksums and segment sizes are recorded as they would be on a cable.
plain_frames() {
    $1 ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
}

phone_address() { in_phone "$1" ip addr add "10.20.30.$1/24" dev eth0; }

# IPv6 for one phone, without router or duplicate address detection.
ipv6_address() {
    in_server sysctl -qw net.ipv6.conf.lan.disable_ipv6=0
    in_phone "$1" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
    in_server ip addr add $server_ip6/64 dev lan nodad
    in_phone "$1" ip addr add "fd00:10:20:30::$1/64" dev eth0 nodad
    sleep 2
}

# Puts phone 50 into VLAN 20: its port of the bridge is tagged on both ends. Record on lan50 to see the tags.
tagged_port() {
    in_server ip link set lan50 nomaster
    start_in_server python3 "$here/vlan_port.py" voice lan50 20
    start_in_phone 50 python3 "$here/vlan_port.py" voice eth0 20
    sleep 0.5
    in_server ip link set voice master lan up
    in_phone 50 ip link set voice address 02:15:5d:20:30:50 up
}

# Packets to this TCP port of the server are dropped without an answer.
drop_port() {
    in_server nft "add table ip firewall; add chain ip firewall in { type filter hook input priority 0; };
        add rule ip firewall in tcp dport $1 drop"
}

# Phone 50 behind a router that gives all phones its own address: 192.168.20.50 ── inside, router, outside ── bridge lan.
routed_phone() {
    ip netns add $space-router
    in_router sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1
    in_phone 50 ip link del eth0
    ip link add eth0 address 02:15:5d:20:30:50 netns $space-phone50 type veth \
        peer name inside address 02:15:5d:20:30:01 netns $space-router
    ip link add outside address 02:15:5d:20:30:02 netns $space-router type veth peer name lan2 netns $space-server
    in_server ip link set lan2 master lan up
    in_router ip addr add 192.168.20.1/24 dev inside
    in_router ip addr add 10.20.30.2/24 dev outside
    in_router ip link set inside up
    in_router ip link set outside up
    in_phone 50 ip addr add 192.168.20.50/24 dev eth0
    in_phone 50 ip link set eth0 up
    in_phone 50 ip route add default via 192.168.20.1
    plain_frames in_server lan2
    plain_frames in_router inside
    plain_frames in_router outside
    plain_frames "in_phone 50" eth0
    in_router nft "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; };
        add rule ip nat post oifname outside masquerade"
}

network_down() {
    local name
    disown -a
    for name in server phone50 phone51 router; do
        [[ -e /run/netns/$space-$name ]] || continue
        while ip netns pids $space-$name | grep -q .; do
            ip netns pids $space-$name | xargs -r kill -9 2>/dev/null || true
            sleep 0.05
        done
        ip netns del $space-$name
    done
}

# recorder_start NAME FORMAT [INTERFACE]: pcapng and pcap-ns have nanoseconds, pcap microseconds.
recorder_start() {
    recorded=$1 recorded_as=$2
    local precision=nano
    if [[ $2 == pcap ]]; then precision=micro; fi
    start_in_server tcpdump -i "${3:-lan}" --immediate-mode -U -s 0 --time-stamp-precision=$precision \
        -w "$work/recording" 2>/dev/null
    recorder_pid=$!
    until [[ -s $work/recording ]]; do sleep 0.1; done
    pause
}

# tap_start NAME PLACE INTERFACE: a second recorder at the same time, at another PLACE of the network: phone50 or router.
# It ends with the first, as a capture of its own.
tap_start() {
    tapped=$1
    ip netns exec "$space-$2" tcpdump -i "$3" --immediate-mode -U -s 0 --time-stamp-precision=nano -w "$work/tap" 2>/dev/null &
    tap_pid=$!
    until [[ -s $work/tap ]]; do sleep 0.1; done
    pause
}

# How many frames have been recorded so far.
frames_so_far() { sleep 0.3; tcpdump -n -r "$work/recording" 2>/dev/null | wc -l; }

# Ends the recording and puts it among the captures. A scenario that goes on to convert it calls this itself.
recorder_stop() {
    [[ -n $recorder_pid ]] || return 0
    sleep 0.7
    in_server_pid tcpdump | xargs kill -INT
    wait "$recorder_pid" 2>/dev/null || true
    recorder_pid=
    if [[ -n $tap_pid ]]; then
        kill -TERM "$tap_pid"
        wait "$tap_pid" 2>/dev/null || true
        tap_pid=
        editcap -F pcapng "$work/tap" "$captures/$tapped.pcapng"
        rm "$work/tap"
    fi
    case $recorded_as in
        pcapng) editcap -F pcapng "$work/recording" "$captures/$recorded.pcapng" ;;
        *) cp "$work/recording" "$captures/$recorded.pcap" ;;
    esac
    rm "$work/recording"
}

# The process of that name in the server's namespace.
in_server_pid() {
    local pid
    for pid in $(ip netns pids $space-server); do
        if [[ $(<"/proc/$pid/comm") == "$1" ]]; then echo "$pid"; fi
    done
}

# Separates two steps, so that their order is plain in the recording.
pause() { sleep 0.3; }

# Waits until something listens on this TCP port of the server.
wait_for_port() {
    local tries=0
    until in_server ss -ltnH "sport = :$1" | grep -q .; do
        sleep 0.1
        if ((++tries > 80)); then echo "nothing listens on port $1" >&2; return 1; fi
    done
}
