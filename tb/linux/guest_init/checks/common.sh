# What every check uses: the run's parameters, waiting, and the virtio devices of this guest.

VIRTIO=/sys/bus/virtio
PLATFORM=/sys/bus/platform/drivers/virtio-mmio
NET=0x0001
ENTROPY=0x0004
PMEM=0x001b

parameter() { tr ' ' '\n' </proc/cmdline | sed -n "s/^vmmio\.$1=//p"; }
value() { echo "VMMIO: value $1=$2" >&3; }
ask() { echo "VMMIO: ask $*" >&3; }
complain() {
    echo "$*"
    return 1
}

# within SECONDS CONDITION...: true as soon as CONDITION is, false if it is not by then.
within() {
    tenths=$(($1 * 10))
    shift
    until "$@"; do
        [ $tenths -gt 0 ] || return 1
        tenths=$((tenths - 1))
        usleep 100000
    done
}

# virtio_of ID: the name that the first virtio device of this type has now, e.g. virtio0.
virtio_of() {
    for device in "$VIRTIO"/devices/*; do
        if [ "$(cat "$device/device" 2>/dev/null)" = "$1" ]; then
            basename "$device"
            return
        fi
    done
    return 1
}
driver_of() { basename "$(readlink "$VIRTIO/devices/$(virtio_of "$1")/driver" || echo none)"; }
platform_of() { basename "$(readlink -f "$VIRTIO/devices/$(virtio_of "$1")/..")"; }
has_driver() { [ "$(driver_of "$1")" = "$2" ]; }
has_rng() { case $(cat /sys/class/misc/hw_random/rng_current) in virtio*) ;; *) return 1 ;; esac; }

# rebind DRIVER DEVICE: takes DEVICE from its driver, sees that it is gone, and gives it back.
rebind() {
    echo "$2" >"$1/unbind" || return 1
    [ ! -e "$1/$2" ] || complain "$2 is still bound" || return 1
    echo "$2" >"$1/bind" || return 1
    within 10 test -e "$1/$2" || complain "$2 is not bound again"
}
