# Throughput of one file of the host: through QEMU's own disk, our block device, and our file system
# device without and with DAX.

# measure ROUND TARGET FILE: runs each load on FILE and tells what it gave.
measure() {
    for load in $(parameter loads | tr , ' '); do
        name=${load%%:*}
        # shellcheck disable=SC2046 # a list of words
        result=$(guest_io "$3" $(echo "${load#*:}" | tr : ' ') "$(parameter seconds)") || return 1
        result=${result#OK mb_s=}
        value "r$1_$2_$name" "${result%% *}"
    done
}

# alone NODE: leaves no driver to any of our devices but the one in NODE: all of them are on one
# interrupt line, and each driver's handler would read the registers of its device.
alone() {
    for at in /sys/bus/platform/devices/LNRO0005:*; do
        name=$(basename "$at")
        if [ "$name" = "$1" ]; then
            [ -e "$PLATFORM/$name" ] || echo "$name" >$PLATFORM/bind || return 1
        elif [ -e "$PLATFORM/$name" ]; then
            echo "$name" >$PLATFORM/unbind || return 1
        fi
    done
}

measure_share() {
    round=$1 target=$2
    shift 2
    mount_share "$@" && measure "$round" "$target" $SHARE/file && umount $SHARE
}

measure_target() {
    case $2 in
    qemu) alone none && measure "$1" qemu "/dev/$(disk_named qemu)" ;;
    blk)
        alone "$(node 2)" && within 10 disk_named disk >/dev/null &&
            measure "$1" blk "/dev/$(disk_named disk)"
        ;;
    fs) alone "$(node 3)" && measure_share "$1" fs ;;
    fs_dax) alone "$(node 3)" && measure_share "$1" fs_dax -o dax ;;
    esac
}

# bench_round N: every target once, in turn forwards and backwards.
bench_round() {
    order=$(parameter targets | tr , ' ')
    [ $(($1 % 2)) = 1 ] || order=$(echo "$order" | tr ' ' '\n' | tac)
    for target in $order; do
        measure_target "$1" "$target" || return 1
    done
}

for round in 1 2 3 4 5 6 7 8 9; do
    eval "check_round_$round() { bench_round $round; }"
done
