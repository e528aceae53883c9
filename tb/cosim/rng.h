/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rng.h
 * Random numbers that are the same on every machine for one seed.
 */
#ifndef VMMIO_TB_COSIM_RNG_H
#define VMMIO_TB_COSIM_RNG_H

#include <cstdint>

namespace vmmio::tb
{

/** SplitMix64: small and fast. Seeds that follow each other have nothing in common. */
class rng
{
public:
    /* Mixed, or one seed's numbers would be another's, some steps later. */
    explicit rng(uint64_t seed) : state_(mixed(seed)) {}

    uint64_t operator()() { return mixed(state_ += 0x9e3779b97f4a7c15); }

    /** 0 up to below, which is at least 1 and at most 2^32. */
    uint32_t pick(uint64_t below) { return static_cast<uint32_t>(((*this)() >> 32) * below >> 32); }

    bool chance(unsigned percent)
    {
        return percent >= 100 || (percent != 0 && pick(100) < percent);
    }

private:
    static uint64_t mixed(uint64_t z)
    {
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }

    uint64_t state_;
};

} // namespace vmmio::tb
#endif
