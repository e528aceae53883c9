# The network device on a network in user mode: the host is 10.0.2.2, and its loopback is behind it.

HOST=10.0.2.2

net_interface() { basename "$VIRTIO/devices/$(virtio_of $NET)"/net/*; }
has_interface() { [ -e "/sys/class/net/$(net_interface)" ]; }

check_ping() {
    within 10 has_interface || complain "no network interface" || return 1
    ip link set "$(net_interface)" up && ip addr add 10.0.2.15/24 dev "$(net_interface)" || return 1
    ping -c 3 -W 5 $HOST | grep 'packets transmitted'
    ping -c 1 -W 5 $HOST >/dev/null || complain "$HOST does not answer"
}

check_tcp() {
    nc $HOST "$(parameter tcp_source)" </dev/null >/net_received || complain "nothing received" || return 1
    sum=$(sha256sum /net_received | cut -d' ' -f1)
    [ "$sum" = "$(parameter tcp_sum)" ] ||
        complain "received $(stat -c %s /net_received) bytes with the sum $sum" || return 1
    dd if=/dev/urandom of=/net_sent bs=1M count="$(parameter tcp_mib)" 2>/dev/null
    nc $HOST "$(parameter tcp_sink)" </net_sent || complain "nothing sent" || return 1
    value tcp_sent "$(sha256sum /net_sent | cut -d' ' -f1)"
    rm /net_received /net_sent
    echo "$(parameter tcp_mib) MiB each way"
}
