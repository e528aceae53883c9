# The block devices: a file system on one, its tail discarded, another size, and one that is read-only.

DISK_PATTERN=/disk/pattern
FS_BLOCKS=12288 # of 4096 bytes; what is behind them is for the discard
TAIL_MIB=48

# disk_named ID: the disk whose device says ID (BLK-25).
disk_named() {
    for disk in /sys/block/vd*; do
        if [ "$(cat "$disk/serial" 2>/dev/null)" = "$1" ]; then
            basename "$disk"
            return
        fi
    done
    return 1
}
mount_disk() { mkdir -p /disk && mount -t ext4 "/dev/$(disk_named disk)" /disk; }

check_disk() {
    within 10 disk_named disk >/dev/null || complain "no disk says that it is 'disk'" || return 1
    /bin/mke2fs -q -F -t ext4 -b 4096 "/dev/$(disk_named disk)" $FS_BLOCKS && mount_disk &&
        guest_tool write $DISK_PATTERN "$(parameter token)" "$(parameter bytes)" &&
        umount /disk && echo 3 >/proc/sys/vm/drop_caches && mount_disk &&
        guest_tool verify $DISK_PATTERN "$(parameter token)" "$(parameter bytes)" && umount /disk
}

check_discard() {
    disk=/dev/$(disk_named disk)
    at=$((TAIL_MIB << 20))
    dd if=/dev/urandom of="$disk" bs=1M seek=$TAIL_MIB count=8 conv=fsync 2>/dev/null || return 1
    echo 3 >/proc/sys/vm/drop_caches
    ! dd if="$disk" bs=1M skip=$TAIL_MIB count=8 2>/dev/null | cmp -s -n $((8 << 20)) - /dev/zero ||
        complain "what was written is not there" || return 1
    blkdiscard -o $at -l $((8 << 20)) "$disk" || return 1
    echo "bytes=$((8 << 20))"
}

has_sectors() { [ "$(cat "/sys/block/$1/size")" = "$2" ]; }
check_resize() {
    disk=$(disk_named disk)
    wanted=$(parameter resized)
    ask resize disk "$wanted"
    within 20 has_sectors "$disk" $((wanted / 512)) ||
        complain "$disk still has $(cat "/sys/block/$disk/size") sectors" || return 1
    echo "$disk has $((wanted / 512)) sectors"
}

check_read_only() {
    disk=$(disk_named rodisk) || complain "no disk says that it is 'rodisk'" || return 1
    [ "$(cat "/sys/block/$disk/ro")" = 1 ] || complain "$disk can be written" || return 1
    ! dd if=/dev/zero of="/dev/$disk" bs=4096 count=1 conv=fsync 2>/dev/null ||
        complain "a write to $disk succeeded" || return 1
    sum=$(sha256sum "/dev/$disk" | cut -d' ' -f1)
    [ "$sum" = "$(parameter rodisk_sum)" ] || complain "$disk reads as $sum" || return 1
    echo "$disk: write refused, sha256 as on the host"
}
