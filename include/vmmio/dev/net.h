/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file net.h
 * Network device (id 1): NET-01 .. NET-73 and NET-77, NET-78 of a modern device.
 *
 * Frames go to and come from a back end: struct vmmio_net_backend is all that a MAC of your own has
 * to fill in. What the driver may leave undone (checksums, segmentation) is done here in software
 * unless the back end says that it takes it; what a back end leaves undone likewise. Never offered:
 * UFO in either direction, RSS, HASH_REPORT and what builds on it, coalescing, statistics, tunnels,
 * GUEST_HDRLEN, RSC_EXT, STANDBY, OUT_NET_HEADER, IPSEC.
 *
 *     static bool send(void *mac, const struct vmmio_net_header *header, const uint8_t *frame,
 *                      uint32_t length);         // header: nothing to do unless `takes` says so
 *     static struct vmmio_net_frame frames[16];
 *     const struct vmmio_net_config config = {.backend = {.context = &mac, .send = send},
 *                                             .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
 *                                             .frames = frames, .frame_count = 16};
 *     struct vmmio_net net;
 *     if (vmmio_net_init(&net, &config) == VMMIO_ERROR_OK)
 *         device_config.function = &net.function;   // then vmmio_device_init
 *     vmmio_net_receive(&net, NULL, frame, length); // then while (vmmio_device_has_work) ...
 *
 * A driver's mistakes end in a dropped frame or in the answer VMMIO_NET_ERR, never in more
 * (H-50..H-52). Received frames wait in the backlog while the driver posts no buffer; one that the
 * posted buffers cannot hold is dropped and the buffers stay. The work for one frame is bounded by
 * its 65,553 bytes and VMMIO_NET_SEGMENTS_MAX segments.
 */
#ifndef VMMIO_DEV_NET_H
#define VMMIO_DEV_NET_H

#include "vmmio/error.h"
#include "vmmio/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of the header before a frame in a buffer (NET-27, NET-29). */
#define VMMIO_NET_HEADER_BYTES 12u

/** The same behind the legacy interface, unless buffers are merged (NET-L2). */
#define VMMIO_NET_LEGACY_HEADER_BYTES 10u

/** Bytes of an Ethernet header, the least that a frame has. */
#define VMMIO_NET_FRAME_MIN 14u

/** Most bytes of a frame: 65,535 of IP behind an Ethernet header with a VLAN tag. */
#define VMMIO_NET_FRAME_MAX 65553u

/** Most segments of a frame that are made in software; a frame with more is dropped. */
#define VMMIO_NET_SEGMENTS_MAX 2048u

/** Most queue pairs of one device. */
#define VMMIO_NET_PAIRS_MAX 64u

/** Addresses that the filter keeps of each sort; a longer table lets all of that sort pass. */
#define VMMIO_NET_FILTER_MAX 64u

/** Feature bits (NET-03, NET-04, NET-05). */
enum vmmio_net_feature {
    VMMIO_NET_F_CSUM = 0,
    VMMIO_NET_F_GUEST_CSUM = 1,
    VMMIO_NET_F_CTRL_GUEST_OFFLOADS = 2,
    VMMIO_NET_F_MTU = 3,
    VMMIO_NET_F_MAC = 5,
    VMMIO_NET_F_GUEST_TSO4 = 7,
    VMMIO_NET_F_GUEST_TSO6 = 8,
    VMMIO_NET_F_GUEST_ECN = 9,
    VMMIO_NET_F_GUEST_UFO = 10, /**< never offered, like all below that say so */
    VMMIO_NET_F_HOST_TSO4 = 11,
    VMMIO_NET_F_HOST_TSO6 = 12,
    VMMIO_NET_F_HOST_ECN = 13,
    VMMIO_NET_F_HOST_UFO = 14, /**< never offered */
    VMMIO_NET_F_MRG_RXBUF = 15,
    VMMIO_NET_F_STATUS = 16,
    VMMIO_NET_F_CTRL_VQ = 17,
    VMMIO_NET_F_CTRL_RX = 18,
    VMMIO_NET_F_CTRL_VLAN = 19,
    VMMIO_NET_F_CTRL_RX_EXTRA = 20,
    VMMIO_NET_F_GUEST_ANNOUNCE = 21,
    VMMIO_NET_F_MQ = 22,
    VMMIO_NET_F_CTRL_MAC_ADDR = 23,
    VMMIO_NET_F_DEVICE_STATS = 50, /**< never offered */
    VMMIO_NET_F_HASH_TUNNEL = 51,  /**< never offered */
    VMMIO_NET_F_VQ_NOTF_COAL = 52, /**< never offered */
    VMMIO_NET_F_NOTF_COAL = 53,    /**< never offered */
    VMMIO_NET_F_GUEST_USO4 = 54,
    VMMIO_NET_F_GUEST_USO6 = 55,
    VMMIO_NET_F_HOST_USO = 56,
    VMMIO_NET_F_HASH_REPORT = 57,  /**< never offered */
    VMMIO_NET_F_GUEST_HDRLEN = 59, /**< never offered */
    VMMIO_NET_F_RSS = 60,          /**< never offered */
    VMMIO_NET_F_RSC_EXT = 61,      /**< never offered */
    VMMIO_NET_F_STANDBY = 62,      /**< never offered */
    VMMIO_NET_F_SPEED_DUPLEX = 63,
    VMMIO_NET_F_RSS_CONTEXT = 64,           /**< never offered */
    VMMIO_NET_F_GUEST_UDP_TUNNEL_GSO = 65,  /**< never offered */
    VMMIO_NET_F_GUEST_UDP_TUNNEL_CSUM = 66, /**< never offered */
    VMMIO_NET_F_HOST_UDP_TUNNEL_GSO = 67,   /**< never offered */
    VMMIO_NET_F_HOST_UDP_TUNNEL_CSUM = 68,  /**< never offered */
    VMMIO_NET_F_OUT_NET_HEADER = 69,        /**< never offered */
    VMMIO_NET_F_IPSEC = 70,                 /**< never offered */
};

/** Byte offsets of the configuration fields (NET-09, NET-10). */
enum vmmio_net_config_offset {
    VMMIO_NET_CONFIG_MAC = 0,
    VMMIO_NET_CONFIG_STATUS = 6,
    VMMIO_NET_CONFIG_MAX_VIRTQUEUE_PAIRS = 8,
    VMMIO_NET_CONFIG_MTU = 10,
    VMMIO_NET_CONFIG_SPEED = 12,
    VMMIO_NET_CONFIG_DUPLEX = 16,
    VMMIO_NET_CONFIG_RSS_MAX_KEY_SIZE = 17,
    VMMIO_NET_CONFIG_RSS_MAX_INDIRECTION_TABLE_LENGTH = 18,
    VMMIO_NET_CONFIG_SUPPORTED_HASH_TYPES = 20,
    VMMIO_NET_CONFIG_BYTES = 24,
    VMMIO_NET_CONFIG_SUPPORTED_TUNNEL_TYPES = 24, /**< never there */
};

/** Bits of the status field (NET-12), values of the duplex field (NET-13). */
enum vmmio_net_config_value {
    VMMIO_NET_S_LINK_UP = 1,
    VMMIO_NET_S_ANNOUNCE = 2,
    VMMIO_NET_DUPLEX_HALF = 0,
    VMMIO_NET_DUPLEX_FULL = 1,
    VMMIO_NET_DUPLEX_UNKNOWN = 0xff,
};

/** Header fields (NET-27). */
enum vmmio_net_header_value {
    VMMIO_NET_HDR_F_NEEDS_CSUM = 1,
    VMMIO_NET_HDR_F_DATA_VALID = 2,
    VMMIO_NET_HDR_F_RSC_INFO = 4,
    VMMIO_NET_HDR_GSO_NONE = 0,
    VMMIO_NET_HDR_GSO_TCPV4 = 1,
    VMMIO_NET_HDR_GSO_UDP = 3,
    VMMIO_NET_HDR_GSO_TCPV6 = 4,
    VMMIO_NET_HDR_GSO_UDP_L4 = 5,
    VMMIO_NET_HDR_GSO_ECN = 0x80,
};

/** Control commands (NET-55): classes, their commands, and answers. */
enum vmmio_net_control {
    VMMIO_NET_CTRL_RX = 0,
    VMMIO_NET_CTRL_RX_PROMISC = 0,
    VMMIO_NET_CTRL_RX_ALLMULTI = 1,
    VMMIO_NET_CTRL_RX_ALLUNI = 2,
    VMMIO_NET_CTRL_RX_NOMULTI = 3,
    VMMIO_NET_CTRL_RX_NOUNI = 4,
    VMMIO_NET_CTRL_RX_NOBCAST = 5,
    VMMIO_NET_CTRL_MAC = 1,
    VMMIO_NET_CTRL_MAC_TABLE_SET = 0,
    VMMIO_NET_CTRL_MAC_ADDR_SET = 1,
    VMMIO_NET_CTRL_VLAN = 2,
    VMMIO_NET_CTRL_VLAN_ADD = 0,
    VMMIO_NET_CTRL_VLAN_DEL = 1,
    VMMIO_NET_CTRL_ANNOUNCE = 3,
    VMMIO_NET_CTRL_ANNOUNCE_ACK = 0,
    VMMIO_NET_CTRL_MQ = 4,
    VMMIO_NET_CTRL_MQ_VQ_PAIRS_SET = 0,
    VMMIO_NET_CTRL_GUEST_OFFLOADS = 5,
    VMMIO_NET_CTRL_GUEST_OFFLOADS_SET = 0,
    VMMIO_NET_OK = 0,
    VMMIO_NET_ERR = 1,
};

/** Work that may be left to the receiver of a frame; a set of these bits. */
enum vmmio_net_offload {
    VMMIO_NET_OFFLOAD_CSUM = 1, /**< the checksum; all others need this one, too */
    VMMIO_NET_OFFLOAD_TSO4 = 2, /**< TCP over IPv4 in segments */
    VMMIO_NET_OFFLOAD_TSO6 = 4, /**< TCP over IPv6 in segments */
    VMMIO_NET_OFFLOAD_ECN = 8,  /**< the same with CWR set */
    VMMIO_NET_OFFLOAD_USO = 16, /**< UDP in datagrams of gso_size bytes, IPv4 and IPv6 */
};

/** What comes before a frame: what is left to do with it (NET-27). All 0: nothing. */
struct vmmio_net_header {
    uint8_t flags;       /**< VMMIO_NET_HDR_F_NEEDS_CSUM or 0 */
    uint8_t gso_type;    /**< VMMIO_NET_HDR_GSO_... */
    uint16_t hdr_len;    /**< bytes of all headers; a hint, with GSO */
    uint16_t gso_size;   /**< bytes of payload in each segment, with GSO */
    uint16_t csum_start; /**< first byte to sum up, with NEEDS_CSUM */
    uint16_t
        csum_offset; /**< from there, of the checksum field; it holds the pseudo header's sum */
};

/** The header as it lies before a frame, VMMIO_NET_HEADER_BYTES of little-endian fields. */
struct vmmio_net_header vmmio_net_header_decode(const uint8_t *bytes);
void vmmio_net_header_encode(const struct vmmio_net_header *header, uint32_t buffers,
                             uint8_t *bytes);

/** Where frames go, on the device's thread. */
struct vmmio_net_backend {
    void *context;
    /**
     * A frame leaves, VMMIO_NET_FRAME_MIN .. VMMIO_NET_FRAME_MAX bytes that are valid during the
     * call. False: it could not be sent, and is lost. May call vmmio_net_receive. Required.
     */
    bool (*send)(void *context, const struct vmmio_net_header *header, const uint8_t *frame,
                 uint32_t length);
    uint32_t takes; /**< enum vmmio_net_offload: what send may be asked to finish */
    uint32_t gives; /**< the same: what received frames may leave to do */
    /** From now on only these of `gives` are welcome; others cost time. May be NULL. */
    void (*welcome)(void *context, uint32_t offloads);
    /** The backlog has room again after vmmio_net_receive had none. May be NULL. */
    void (*room)(void *context);
};

/** A received frame that waits for buffers; caller-owned, members private. */
struct vmmio_net_frame {
    struct vmmio_net_frame *next;
    struct vmmio_net_header header;
    uint32_t length;
    uint8_t bytes[VMMIO_NET_FRAME_MAX];
};

/** What a network device is made of. A 0 stands for the default where one is named. */
struct vmmio_net_config {
    struct vmmio_net_backend backend;
    uint8_t mac[6];    /**< default 52:54:00:12:34:56 */
    uint16_t mtu;      /**< 68..65535 bytes; 0 offers no MTU (NET-15, NET-16: 1280 or more) */
    uint16_t pairs;    /**< queue pairs, 1..VMMIO_NET_PAIRS_MAX; more than 1 offers MQ */
    bool link_down;    /**< starts without link */
    uint32_t speed;    /**< Mbit/s, 0xffffffff unknown; 0 offers no SPEED_DUPLEX (NET-20) */
    uint8_t duplex;    /**< enum vmmio_net_config_value; with speed only */
    uint64_t withheld; /**< feature bits, 1ull << VMMIO_NET_F_..., not to offer */
    struct vmmio_net_frame *frames; /**< the backlog; a frame in segments needs one for each */
    uint32_t frame_count;           /**< at least 1 */
};

/** Lists of addresses that the driver wants to see (NET-60). */
struct vmmio_net_addresses {
    uint32_t count; /**< above VMMIO_NET_FILTER_MAX: every address */
    uint8_t address[VMMIO_NET_FILTER_MAX][6];
};

/** The function; caller-owned. Counters are over the life of the struct. */
struct vmmio_net {
    struct vmmio_function function;
    struct vmmio_net_config is;
    uint64_t sent;           /**< frames given to the back end */
    uint64_t bytes_sent;     /**< in these frames */
    uint64_t send_dropped;   /**< frames or segments of the driver that did not leave */
    uint64_t received;       /**< frames given to the driver */
    uint64_t bytes_received; /**< in these frames */
    uint64_t filtered;       /**< frames that the driver does not want */
    uint64_t dropped;        /**< frames that could not be given to the driver */
    /* Private from here on. */
    struct vmmio_engine *engine; /* NULL until the driver is live */
    struct vmmio_features negotiated;
    uint8_t config_bytes[VMMIO_NET_CONFIG_BYTES];
    uint16_t active_pairs;
    uint32_t guest_offloads; /* enum vmmio_net_offload, enabled */
    uint64_t guest_mask;     /* the same as feature bits */
    uint8_t mode[6];         /* by command of class RX */
    struct vmmio_net_addresses unicast, multicast;
    uint8_t vlans[512];
    uint16_t flows[256]; /* pair + 1 that sent last, by hash */
    bool link_up, starved;
    struct vmmio_net_frame *free_frames;
    uint32_t free_count;
    struct {
        struct vmmio_net_frame *first, *last;
        uint32_t count;
    } backlog[VMMIO_NET_PAIRS_MAX];
    uint8_t frame[VMMIO_NET_FRAME_MAX];   /* to send */
    uint8_t segment[VMMIO_NET_FRAME_MAX]; /* of it */
};

/**
 * Prepares a network function. VMMIO_ERROR_OK, or what to change: NULL_ARGUMENT, NET_MAC,
 * NET_PAIRS, NET_MTU, NET_SPEED, NET_FRAMES.
 */
enum vmmio_error vmmio_net_init(struct vmmio_net *net, const struct vmmio_net_config *config);

/**
 * A frame comes in; header NULL: nothing is left to do. True: it was taken, or dropped and counted
 * (link down, no driver, not wanted, malformed). False: the backlog is full, nothing happened;
 * offer it again after backend.room, or lose it. Copies; on the device's thread, at any time, also
 * inside of send; afterwards ask vmmio_device_has_work.
 */
bool vmmio_net_receive(struct vmmio_net *net, const struct vmmio_net_header *header,
                       const uint8_t *frame, uint32_t length);

/** Link up or down from now on; then call vmmio_device_config_changed (NET-12). */
void vmmio_net_set_link(struct vmmio_net *net, bool up);

/**
 * Asks the driver to send gratuitous packets (GUEST_ANNOUNCE); then call
 * vmmio_device_config_changed. False: the feature was not negotiated.
 */
bool vmmio_net_announce(struct vmmio_net *net);

/** Another speed and duplex, while the link is down only (NET-21); false: nothing changed. */
bool vmmio_net_set_speed(struct vmmio_net *net, uint32_t speed, uint8_t duplex);

#ifdef __cplusplus
}
#endif
#endif
