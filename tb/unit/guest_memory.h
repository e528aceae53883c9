/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file guest_memory.h
 * The driver's memory as a device under test sees it: RAM in any place, a monitor that compares
 * every DMA access with what the driver named to the device, and faults at chosen accesses.
 */
#ifndef VMMIO_TB_GUEST_MEMORY_H
#define VMMIO_TB_GUEST_MEMORY_H

#include "vmmio/memory.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vmmio::tb
{

/** How the device reaches memory. */
enum class dma_mode {
    pointer,     /**< every map is granted */
    transaction, /**< none is */
    mixed,       /**< every second one is */
    fleeting,    /**< granted, but any later map may take every earlier grant away */
    whole,       /**< the same, and all of a RAM is granted at once where that is asked for */
};

/** For GoogleTest's names of parameterised tests. */
std::string name_of(dma_mode mode);

/** Rights that the driver gives to the device; may be combined. */
enum dma_right : unsigned { may_read = 1, may_write = 2 };

/** One access of the device, or one request for a host pointer. */
struct dma_access {
    uint64_t address;
    uint64_t length;
    bool write;
    bool map; /**< a pointer was asked for; false: a transaction */
};

class guest_memory
{
public:
    explicit guest_memory(dma_mode mode);
    ~guest_memory();
    guest_memory(const guest_memory &) = delete;
    guest_memory &operator=(const guest_memory &) = delete;

    /** RAM, all zero; not writable: ROM, where only the guest's own stores have an effect. */
    void add_ram(uint64_t base, uint64_t size, bool writable = true);

    /** Registers at base, reached by transactions only. The functions get the offset from base. */
    void add_registers(uint64_t base, uint64_t size,
                       std::function<void(uint64_t, void *, uint32_t)> read,
                       std::function<void(uint64_t, const void *, uint32_t)> write);

    /** The guest's own accesses, little endian; the range must be RAM. */
    uint16_t load16(uint64_t address) const;
    uint32_t load32(uint64_t address) const;
    uint64_t load64(uint64_t address) const;
    void store16(uint64_t address, uint16_t value);
    void store32(uint64_t address, uint32_t value);
    void store64(uint64_t address, uint64_t value);
    std::vector<uint8_t> bytes(uint64_t address, uint64_t length) const;
    void set_bytes(uint64_t address, const std::vector<uint8_t> &data);
    void fill(uint64_t address, uint64_t length, uint8_t value);

    /** The driver names a range to the device; only named ranges may be accessed (rule R1). */
    void name(uint64_t address, uint64_t length, unsigned rights);
    void withdraw(uint64_t address, uint64_t length);
    void withdraw_all() { names_.clear(); }

    /** Stops judging accesses, for tests whose driver names nonsense. */
    void judge(bool on) { judging_ = on; }

    /** The k-th transaction from now on (0: the next one) fails on the bus; the others work. */
    void fail_transaction(uint64_t k) { fail_at_ = transactions + k; }
    void fail_none() { fail_at_ = UINT64_MAX; }

    /** In the modes fleeting and whole, takes every pointer away that the device has. */
    void take_pointers_away();

    /** What the device under test gets. */
    vmmio_memory port();

    /** Called before each transaction. */
    std::function<void(const dma_access &)> on_transaction;
    /** Called when pointers are taken away; the user tells the device. */
    std::function<void()> on_invalidate;

    std::vector<dma_access> log;         /**< transactions and map requests in order */
    std::vector<std::string> violations; /**< accesses that nobody allowed */
    uint64_t transactions = 0;           /**< so far */

private:
    struct ram {
        uint64_t base, size;
        bool writable;
        int file;
        uint8_t *bytes;
    };
    struct registers {
        uint64_t base, size;
        std::function<void(uint64_t, void *, uint32_t)> read;
        std::function<void(uint64_t, const void *, uint32_t)> write;
    };
    struct range {
        uint64_t address, length;
        unsigned rights;
    };
    struct alias {
        void *start;
        size_t length;
    };

    const ram *find(uint64_t address, uint64_t length) const;
    const registers *find_registers(uint64_t address, uint32_t length) const;
    uint8_t *at(uint64_t address, uint64_t length) const;
    void note(const dma_access &access);
    bool begin_transaction(uint64_t address, uint32_t length, bool write);
    bool take_fleeting_decision();
    static void drop(std::vector<alias> &aliases);
    void revoke();
    void *make_alias(const ram &ram, uint64_t address, uint64_t length);
    bool map_all(uint64_t address, bool write, vmmio_memory_range &all);
    void *map(uint64_t address, uint64_t length, bool write);
    bool read(uint64_t address, void *data, uint32_t length);
    bool write(uint64_t address, const void *data, uint32_t length);

    dma_mode mode_;
    bool judging_ = true;
    uint64_t fail_at_ = UINT64_MAX;
    uint32_t maps_ = 0;
    std::vector<ram> rams_;
    std::vector<registers> registers_;
    std::vector<range> names_;
    std::vector<alias> aliases_; /* pointers that the device may use */
    std::vector<alias> revoked_; /* and those that it may not use any more */
};

} // namespace vmmio::tb
#endif
