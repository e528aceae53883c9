# The file system device: a directory of the host, by requests and through its DAX window.

SHARE=/share

mount_share() { mkdir -p $SHARE && mount -t virtiofs "$@" vmmio $SHARE; }

check_share() {
    mount_share || return 1
    sum=$(sha256sum $SHARE/from_host | cut -d' ' -f1)
    [ "$sum" = "$(parameter share_sum)" ] || complain "the host's file reads as $sum" || return 1
    mkdir $SHARE/dir && echo text >$SHARE/dir/a && ln $SHARE/dir/a $SHARE/dir/b &&
        ln -s d $SHARE/dir/c && mv $SHARE/dir/b $SHARE/dir/d || return 1
    [ "$(stat -c %h $SHARE/dir/a)" = 2 ] || complain "a link is not counted" || return 1
    [ "$(cat $SHARE/dir/c)" = text ] || complain "the symbolic link leads elsewhere" || return 1
    rm $SHARE/dir/a && [ "$(ls $SHARE/dir | tr '\n' ' ')" = "c d " ] ||
        complain "the directory has $(ls $SHARE/dir)" || return 1
    umount $SHARE && echo "files, directories, links"
}

# What the driver says of the window: "... Cache len: 0x8000000 @ 0xe8000000" (FS-10, MMIO-SHM-02).
check_share_dax() {
    mount_share -o dax || return 1
    grep -o ' /share virtiofs .*dax[^ ]*' /proc/mounts || complain "not mounted with dax" || return 1
    window=$(dmesg | sed -n 's/.*Cache len: \(0x[0-9a-f]*\) @ \(0x[0-9a-f]*\).*/\1 \2/p' | tail -n 1)
    value share_length "${window% *}"
    value share_base "${window#* }"
    guest_tool verify $SHARE/pattern "$(parameter token)" "$(parameter share_bytes)" &&
        guest_tool write-dax $SHARE/from_guest "$(parameter token)" "$(parameter share_bytes)" &&
        guest_tool verify $SHARE/from_guest "$(parameter token)" "$(parameter share_bytes)" || return 1
    value share_written "$(sha256sum $SHARE/from_guest | cut -d' ' -f1)"
    umount $SHARE
}
