/* SPDX-License-Identifier: Apache-2.0 */
/* Our one register map against the constants that Linux drivers are compiled with. */
#include "rig.h"

#define VIRTIO_RING_NO_LEGACY /* the rest of that header is no C++ */

#include <cstddef>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pmem.h>
#include <linux/virtio_ring.h>

/* Linux keeps the names of VIRTIO 1.0 for these. */
#define VIRTIO_MMIO_QUEUE_SIZE_MAX VIRTIO_MMIO_QUEUE_NUM_MAX
#define VIRTIO_MMIO_QUEUE_SIZE VIRTIO_MMIO_QUEUE_NUM
#define VIRTIO_MMIO_QUEUE_DRIVER_LOW VIRTIO_MMIO_QUEUE_AVAIL_LOW
#define VIRTIO_MMIO_QUEUE_DRIVER_HIGH VIRTIO_MMIO_QUEUE_AVAIL_HIGH
#define VIRTIO_MMIO_QUEUE_DEVICE_LOW VIRTIO_MMIO_QUEUE_USED_LOW
#define VIRTIO_MMIO_QUEUE_DEVICE_HIGH VIRTIO_MMIO_QUEUE_USED_HIGH
/* Linux resets no single queue over MMIO; the number is that of 4.2.2. */
#ifndef VIRTIO_MMIO_QUEUE_RESET
#define VIRTIO_MMIO_QUEUE_RESET 0x0c0
#endif

namespace vmmio::tb
{
namespace
{

TEST(linux_headers, agree_on_every_register)
{
    ROWS("MMIO-CONFIG-01", "MMIO-INIT-02", "MMIOL-03", "MMIOL-06", "MMIOL-07");
#define VMMIO_X(id, name, offset, access)                                                          \
    EXPECT_EQ(static_cast<int>(VMMIO_REG_##id), VIRTIO_MMIO_##id) << (name);
    VMMIO_REGISTERS(VMMIO_X)
    VMMIO_LEGACY_REGISTERS(VMMIO_X)
#undef VMMIO_X
    EXPECT_EQ(static_cast<int>(VMMIO_REG_CONFIG), VIRTIO_MMIO_CONFIG);
}

TEST(linux_headers, agree_on_status_and_interrupt_bits)
{
    ROWS("STAT-02", "MMIO-INTSTAT-01");
    EXPECT_EQ(static_cast<int>(VMMIO_STATUS_ACKNOWLEDGE), VIRTIO_CONFIG_S_ACKNOWLEDGE);
    EXPECT_EQ(static_cast<int>(VMMIO_STATUS_DRIVER), VIRTIO_CONFIG_S_DRIVER);
    EXPECT_EQ(static_cast<int>(VMMIO_STATUS_DRIVER_OK), VIRTIO_CONFIG_S_DRIVER_OK);
    EXPECT_EQ(static_cast<int>(VMMIO_STATUS_FEATURES_OK), VIRTIO_CONFIG_S_FEATURES_OK);
    EXPECT_EQ(static_cast<int>(VMMIO_STATUS_NEEDS_RESET), VIRTIO_CONFIG_S_NEEDS_RESET);
    EXPECT_EQ(static_cast<int>(VMMIO_STATUS_FAILED), VIRTIO_CONFIG_S_FAILED);
    EXPECT_EQ(static_cast<int>(VMMIO_INTERRUPT_USED_BUFFER), VIRTIO_MMIO_INT_VRING);
    EXPECT_EQ(static_cast<int>(VMMIO_INTERRUPT_CONFIG_CHANGE), VIRTIO_MMIO_INT_CONFIG);
}

TEST(linux_headers, agree_on_feature_bits)
{
    ROWS("RFB-11", "RFB-14");
    EXPECT_EQ(static_cast<int>(VMMIO_F_INDIRECT_DESC), VIRTIO_RING_F_INDIRECT_DESC);
    EXPECT_EQ(static_cast<int>(VMMIO_F_EVENT_IDX), VIRTIO_RING_F_EVENT_IDX);
    EXPECT_EQ(static_cast<int>(VMMIO_F_VERSION_1), VIRTIO_F_VERSION_1);
    EXPECT_EQ(static_cast<int>(VMMIO_F_ACCESS_PLATFORM), VIRTIO_F_ACCESS_PLATFORM);
    EXPECT_EQ(static_cast<int>(VMMIO_F_RING_PACKED), VIRTIO_F_RING_PACKED);
    EXPECT_EQ(static_cast<int>(VMMIO_F_IN_ORDER), VIRTIO_F_IN_ORDER);
    EXPECT_EQ(static_cast<int>(VMMIO_F_ORDER_PLATFORM), VIRTIO_F_ORDER_PLATFORM);
    EXPECT_EQ(static_cast<int>(VMMIO_F_SR_IOV), VIRTIO_F_SR_IOV);
    EXPECT_EQ(static_cast<int>(VMMIO_F_RING_RESET), VIRTIO_F_RING_RESET);
}

TEST(linux_headers, agree_on_the_ring)
{
    ROWS("SPLIT-01", "SPLIT-02", "SPLIT-08", "SPLIT-23", "SPLIT-35");
    EXPECT_EQ(static_cast<int>(VMMIO_DESC_NEXT), VRING_DESC_F_NEXT);
    EXPECT_EQ(static_cast<int>(VMMIO_DESC_WRITE), VRING_DESC_F_WRITE);
    EXPECT_EQ(static_cast<int>(VMMIO_DESC_INDIRECT), VRING_DESC_F_INDIRECT);
    EXPECT_EQ(static_cast<int>(VMMIO_AVAIL_NO_INTERRUPT), VRING_AVAIL_F_NO_INTERRUPT);
    EXPECT_EQ(static_cast<int>(VMMIO_USED_NO_NOTIFY), VRING_USED_F_NO_NOTIFY);
    EXPECT_EQ(static_cast<int>(VMMIO_DESC_ALIGN), VRING_DESC_ALIGN_SIZE);
    EXPECT_EQ(static_cast<int>(VMMIO_AVAIL_ALIGN), VRING_AVAIL_ALIGN_SIZE);
    EXPECT_EQ(static_cast<int>(VMMIO_USED_ALIGN), VRING_USED_ALIGN_SIZE);
    EXPECT_EQ(static_cast<size_t>(VMMIO_DESC_BYTES), sizeof(vring_desc));
    EXPECT_EQ(static_cast<size_t>(VMMIO_USED_ELEM_BYTES), sizeof(vring_used_elem));
}

TEST(linux_headers, agree_on_device_types)
{
    ROWS("RNG-01", "PMEM-01", "PMEM-06");
    EXPECT_EQ(static_cast<int>(VMMIO_ID_ENTROPY), VIRTIO_ID_RNG);
    EXPECT_EQ(static_cast<int>(VMMIO_ID_PMEM), VIRTIO_ID_PMEM);
    EXPECT_EQ(static_cast<int>(VMMIO_PMEM_FLUSH), VIRTIO_PMEM_REQ_TYPE_FLUSH);
    EXPECT_EQ(offsetof(virtio_pmem_config, start), 0u);
    EXPECT_EQ(offsetof(virtio_pmem_config, size), 8u);
    EXPECT_EQ(sizeof(vmmio_pmem::config_bytes), sizeof(virtio_pmem_config));
    EXPECT_EQ(sizeof(virtio_pmem_req), 4u);
    EXPECT_EQ(sizeof(virtio_pmem_resp), 4u);
}

} // namespace
} // namespace vmmio::tb
