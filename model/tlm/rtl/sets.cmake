# The parameters that vmmio::rtl is verilated with. A device that none of them fits says at
# construction which line is missing here.
set(indirect 28)
set(event_idx 29)
set(packed 34)
set(in_order 35)
set(usual 32 38 40 43) # VERSION_1, NOTIFICATION_DATA, RING_RESET, SUSPEND
set(all ${indirect} ${event_idx} ${usual})

set(entropy DEVICE_ID 4 QUEUE_SIZES 256 REGIONS 8)
set(pmem DEVICE_ID 27 QUEUE_SIZES 256 REGIONS 8 CONFIG_BYTES 16)
set(blk DEVICE_ID 2 QUEUE_SIZES 256 256 CONFIG_BYTES 96)
set(blk_bits 1 2 6 9 10 11 12 13 14)
set(blk_read_only_bits 1 2 5 6 9 10 11 12)
set(net DEVICE_ID 1 CONFIG_BYTES 24
    DEPENDENCIES 7:1 8:1 11:0 12:0 18:17 19:17 21:17 22:17 23:17 54:1 55:1 56:0)
set(net_user_bits 0 1 2 5 11 12 13 15 16 17 18 19 20 21 23 56) # what libslirp can do
set(net_all_bits 0 1 2 3 5 7 8 9 11 12 13 15 16 17 18 19 20 21 23 54 55 56)
set(console DEVICE_ID 3 CONFIG_BYTES 12)
set(fs DEVICE_ID 26 QUEUE_SIZES 256 256 REGIONS 8 CONFIG_BYTES 44)

# The devices as they come, which are also those of vmmio-qtest.
vmmio_add_rtl(vmmio_rtl_sets null DEVICE_ID 42 QUEUE_SIZES 256 256 REGIONS 8 FEATURES ${all})
vmmio_add_rtl(vmmio_rtl_sets entropy ${entropy} FEATURES ${all})
vmmio_add_rtl(vmmio_rtl_sets pmem ${pmem} FEATURES 0 ${all})
vmmio_add_rtl(vmmio_rtl_sets blk ${blk} FEATURES ${blk_bits} ${all})
vmmio_add_rtl(vmmio_rtl_sets blk_read_only ${blk} FEATURES ${blk_read_only_bits} ${all})
vmmio_add_rtl(vmmio_rtl_sets net_user ${net} QUEUE_SIZES 256 256 256
    FEATURES ${net_user_bits} ${all})
vmmio_add_rtl(vmmio_rtl_sets net_all ${net} QUEUE_SIZES 256 256 256
    FEATURES ${net_all_bits} ${all})
vmmio_add_rtl(vmmio_rtl_sets net_pairs ${net} QUEUE_SIZES 256 256 256 256 256
    FEATURES ${net_all_bits} 22 ${all})
vmmio_add_rtl(vmmio_rtl_sets fs ${fs} FEATURES ${all})
vmmio_add_rtl(vmmio_rtl_sets console ${console} QUEUE_SIZES 256 256 FEATURES 0 2 ${all})
vmmio_add_rtl(vmmio_rtl_sets console_ports ${console} # three of them
    QUEUE_SIZES 256 256 256 256 256 256 256 256 FEATURES 0 1 2 ${all})

# The devices of a Linux run whose rings tb/linux/parts.py makes other than that.
vmmio_add_rtl(vmmio_rtl_sets run_rng ${entropy} FEATURES ${in_order} ${usual})
vmmio_add_rtl(vmmio_rtl_sets run_pmem ${pmem} FEATURES 0 ${packed} ${usual})
vmmio_add_rtl(vmmio_rtl_sets run_disk ${blk} FEATURES ${blk_bits} ${packed} ${all})
vmmio_add_rtl(vmmio_rtl_sets run_rodisk ${blk} FEATURES ${blk_read_only_bits} ${indirect} ${usual})
vmmio_add_rtl(vmmio_rtl_sets run_console ${console} QUEUE_SIZES 256 256 256 256 256 256
    FEATURES 0 1 2 ${event_idx} ${usual})
vmmio_add_rtl(vmmio_rtl_sets run_net ${net} QUEUE_SIZES 256 256 256
    FEATURES ${net_user_bits} ${usual})
vmmio_add_rtl(vmmio_rtl_sets run_share ${fs} FEATURES ${packed} ${in_order} ${all})
