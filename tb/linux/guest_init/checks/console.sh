# The console device: a port with a name, and a console.

PORT=org.vmmio.check
TTY=/dev/hvc0

# port_named NAME: its file in /dev (CON-12).
port_named() {
    for port in /sys/class/virtio-ports/*; do
        if [ "$(cat "$port/name" 2>/dev/null)" = "$1" ]; then
            echo "/dev/$(basename "$port")"
            return
        fi
    done
    return 1
}

check_port() {
    within 10 port_named $PORT >/dev/null || complain "no port says that it is '$PORT'" || return 1
    port=$(port_named $PORT)
    bytes=$(parameter port_bytes)
    sum=$(head -c "$bytes" "$port" | sha256sum | cut -d' ' -f1)
    [ "$sum" = "$(parameter port_sum)" ] || complain "what came has the sum $sum" || return 1
    head -c "$bytes" /dev/urandom >/port_sent && cat /port_sent >"$port" || return 1
    value port_sent "$(sha256sum /port_sent | cut -d' ' -f1)"
    rm /port_sent
    echo "$port: $bytes bytes each way"
}

# has_size COLS ROWS: some kernels take the two of the device's message for each other (CON-12).
has_size() {
    case $(stty -F $TTY size 2>/dev/null) in
    "$2 $1") swapped= ;;
    "$1 $2") swapped=", which this kernel takes for rows and columns" ;;
    *) return 1 ;;
    esac
}

check_console() {
    within 10 test -c $TTY || complain "no $TTY" || return 1
    size=$(parameter console_size) resized=$(parameter console_resized)
    within 10 has_size "${size%x*}" "${size#*x}" || complain "$TTY is $(stty -F $TTY size)" || return 1
    ask resize console "$resized"
    within 20 has_size "${resized%x*}" "${resized#*x}" ||
        complain "$TTY is still $(stty -F $TTY size)" || return 1
    echo "the guest says $(parameter token)" >$TTY || return 1
    echo "$size, then $resized columns and rows$swapped"
}
