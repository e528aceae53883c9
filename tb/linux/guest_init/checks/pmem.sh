# The entropy device, and the pmem device with shared memory region 0.

FILE=/mnt/pattern

check_random() {
    within 10 has_rng || complain "rng_current is $(cat /sys/class/misc/hw_random/rng_current)" || return 1
    guest_tool random /dev/hwrng 4096 && cat /sys/class/misc/hw_random/rng_current
}

check_region() {
    within 10 test -b /dev/pmem0 || complain "no /dev/pmem0" || return 1
    base=$(cat /sys/bus/nd/devices/region0/resource)
    length=$(cat /sys/bus/nd/devices/region0/size)
    value shm_base "$base"
    value shm_length "$length"
    # The kernel's map of physical memory must have it at the same place.
    grep "^ *$(printf '%x' "$base")-" /proc/iomem || complain "/proc/iomem has nothing at $base"
}

mount_dax() { mount -t ext4 -o dax=always /dev/pmem0 /mnt; }
verify() { guest_tool verify $FILE "$(parameter token)" "$(parameter bytes)"; }
# By its path: the shell would take busybox' own, which knows no ext4.
check_mkfs() { /bin/mke2fs -q -F -t ext4 -b 4096 /dev/pmem0 && echo ext4; }
check_mount() { mount_dax && grep -o ' /mnt ext4 .*dax=always' /proc/mounts; }
check_write() { guest_tool write-dax $FILE "$(parameter token)" "$(parameter bytes)"; }
check_remount() {
    umount /mnt && echo 3 >/proc/sys/vm/drop_caches && mount_dax && verify
}

check_speed() {
    speed=$(guest_tool speed $FILE) || return 1
    for pair in ${speed#OK}; do
        value "${pair%%=*}" "${pair#*=}"
    done
    echo "${speed#OK }"
}

# usable_again: both devices work and the file is what it was.
usable_again() {
    within 10 test -b /dev/pmem0 && mount_dax && verify && check_random
}

check_rebind_driver() {
    umount /mnt || return 1
    rebind $VIRTIO/drivers/virtio_rng "$(virtio_of $ENTROPY)" &&
        rebind $VIRTIO/drivers/virtio_pmem "$(virtio_of $PMEM)" &&
        usable_again
}

check_rebind_transport() {
    umount /mnt || return 1
    rebind $PLATFORM "$(platform_of $ENTROPY)" &&
        rebind $PLATFORM "$(platform_of $PMEM)" &&
        usable_again && umount /mnt
}

