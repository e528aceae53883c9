# Suspend to idle and back: each driver resets its device and sets it up again, and work goes on.

# can_freeze DRIVER: true if the kernel has the driver's function for it.
can_freeze() {
    case $1 in
    virtio_blk) name=virtblk ;;
    virtio_net) name=virtnet ;;
    virtio_rng) name=virtrng ;;
    virtio_console) name=virtcons ;;
    virtiofs) name=virtio_fs ;;
    *) name=$1 ;;
    esac
    grep -q " ${name}_freeze\b" /proc/kallsyms
}

slept() { cat /sys/power/suspend_stats/success; }

# fall_asleep: true when the guest has slept and is awake again. The host presses the power button
# until then; pressed too early, it keeps the guest awake.
fall_asleep() {
    before=$(slept)
    ask wake
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        why=$({ echo freeze >/sys/power/state; } 2>&1) && break
        case $why in
        *'not supported'*) break ;;
        esac
        usleep 100000
    done
    ask awake
    [ "$(slept)" -gt "$before" ]
}

# take_away NODE REASON: takes the driver from a device that cannot be suspended.
take_away() {
    echo "$1 taken away: $2;"
    echo "$1" >$PLATFORM/unbind
    taken="$taken $1"
}

kernel_said() { dmesg | sed -n "s/^\[[^]]*\] \(.*$1.*\)/\1/p" | tail -n 1; }

check_suspend() {
    taken=
    slot=0
    for pair in $(parameter drivers | tr , ' '); do
        can_freeze "${pair#*:}" || take_away "$(node $slot)" "${pair#*:} cannot be suspended"
        slot=$((slot + 1))
    done
    # A driver may have the function and refuse: Linux names the device.
    until fall_asleep; do
        refused=$(kernel_said 'PM: failed to suspend' | grep -o 'LNRO0005:[0-9a-f]*')
        case $taken in
        *"$refused"*) complain "no sleep: $why" || return 1 ;;
        esac
        take_away "$refused" "$(kernel_said 'suspend.*not.*supported')"
    done
    for name in $taken; do
        echo "$name" >$PLATFORM/bind || return 1
    done
    usable_again && umount /mnt && check_read_only && ping -c 1 -W 5 $HOST >/dev/null &&
        within 10 disk_named disk >/dev/null && mount_disk &&
        guest_tool verify $DISK_PATTERN "$(parameter token)" "$(parameter bytes)" && umount /disk &&
        mount_share && umount $SHARE && within 10 port_named $PORT >/dev/null &&
        echo "the guest is awake" >$TTY && echo "slept $(slept) times"
}
