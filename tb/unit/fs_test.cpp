// SPDX-License-Identifier: Apache-2.0
// The file system function: headers, queues and back ends (5.11). The FUSE server is the test's.
#include "vmmio/dev/fs.h"

#include "rig.h"

#include <algorithm>
#include <cerrno>
#include <linux/fuse.h>
#include <string>

namespace vmmio::tb
{

namespace
{

constexpr unsigned HIPRIO = 0, REQUESTS = 1;

std::vector<uint8_t> little(uint64_t value, unsigned bytes)
{
    std::vector<uint8_t> out;
    for (unsigned i = 0; i < bytes; i++)
        out.push_back(static_cast<uint8_t>(value >> 8 * i));
    return out;
}

uint64_t number(const std::vector<uint8_t> &bytes, size_t at, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value |= uint64_t{bytes.at(at + i)} << 8 * i;
    return value;
}

std::vector<uint8_t> message(uint32_t length, uint32_t error, uint64_t unique,
                             const std::string &body = "")
{
    std::vector<uint8_t> out = little(length, 4);
    for (const auto &part : {little(error, 4), little(unique, 8)})
        out.insert(out.end(), part.begin(), part.end());
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

std::vector<uint8_t> header(uint32_t length, uint32_t opcode, uint64_t unique)
{
    std::vector<uint8_t> out = message(length, opcode, unique); // the same shape, so far
    out.resize(VMMIO_FS_IN_HEADER, 0x5a);
    return out;
}

/// A back end that keeps jobs or answers them with what the test says.
struct server {
    bool hold = false;
    bool holds = false; ///< something for the driver, so that it cannot be saved
    std::vector<vmmio_fs_job *> held;
    std::vector<uint32_t> seen, released;
    std::vector<uint8_t> body, reply;
    unsigned resets = 0, wakes = 0;

    vmmio_fs_backend backend()
    {
        return {this,
                [](void *self, vmmio_fs_job *job) { static_cast<server *>(self)->submit(job); },
                [](void *self, vmmio_fs_job *job) {
                    static_cast<server *>(self)->released.push_back(job->opcode);
                },
                [](void *self) { static_cast<server *>(self)->resets++; },
                [](void *self) { return static_cast<server *>(self)->holds; }};
    }
    void submit(vmmio_fs_job *job)
    {
        seen.push_back(job->opcode);
        body.assign(job->body_bytes, 0);
        EXPECT_TRUE(vmmio_fs_job_read(job, 0, body.data(), job->body_bytes));
        uint8_t byte;
        EXPECT_FALSE(vmmio_fs_job_read(job, job->body_bytes, &byte, 1));
        if (hold && job->reply_bytes)
            held.push_back(job);
        else
            finish(job);
    }
    void finish(vmmio_fs_job *job)
    {
        vmmio_fs_job_done(job, reply.data(), static_cast<uint32_t>(reply.size()));
    }
};

struct fs_rig {
    server s;
    std::vector<vmmio_fs_job> jobs;
    vmmio_fs fs = {};
    std::unique_ptr<rig> r;

    explicit fs_rig(uint32_t job_count = 4, uint32_t queues = 1, dma_mode mode = dma_mode::pointer)
        : jobs(job_count)
    {
        vmmio_fs_config config = {};
        config.tag = "host";
        config.num_request_queues = queues;
        config.backend = s.backend();
        config.jobs = jobs.data();
        config.job_count = job_count;
        config.wake = [](void *self) { static_cast<server *>(self)->wakes++; };
        config.wake_context = &s;
        EXPECT_EQ(vmmio_fs_init(&fs, &config), VMMIO_ERROR_OK);
        rig_options options;
        options.mode = mode;
        options.requests = job_count;
        r = std::make_unique<rig>(fs.function, options);
        r->renew = [this, config] {
            const vmmio_fs old = fs;
            s.resets--; // a restore comes with one
            s.held.clear();
            EXPECT_EQ(vmmio_fs_init(&fs, &config), VMMIO_ERROR_OK);
            fs.requests = old.requests;
            fs.bytes = old.bytes;
        };
        r->go_live(1 + queues);
    }

    struct sent {
        unsigned queue;
        piece in, out;
    };
    sent offer(unsigned queue, const std::vector<uint8_t> &in, uint32_t room = 64)
    {
        sent what{queue, r->readable(static_cast<uint32_t>(in.size())), {}};
        r->memory.set_bytes(what.in.address, in);
        std::vector<piece> pieces{what.in};
        if (room) {
            what.out = r->writable(room);
            r->memory.fill(what.out.address, room, 0xee);
            pieces.push_back(what.out);
        }
        r->queue(queue).offer(r->queue(queue).add(pieces));
        r->guest.kick(queue);
        r->run();
        return what;
    }
    void poll()
    {
        EXPECT_FALSE(vmmio_fs_poll(&fs));
        r->run();
    }
    /// The used length, or nothing.
    std::optional<uint32_t> used(unsigned queue)
    {
        const auto entry = r->queue(queue).reap();
        return entry ? std::optional<uint32_t>(entry->length) : std::nullopt;
    }
    std::vector<uint8_t> bytes(const sent &what)
    {
        return r->memory.bytes(what.out.address, what.out.length);
    }
    /// Offers a request and expects exactly this error, and nothing more, in its place.
    void expect_error(unsigned queue, const std::vector<uint8_t> &in, int error, uint64_t unique)
    {
        const sent what = offer(queue, in);
        ASSERT_EQ(used(queue), 16u);
        std::vector<uint8_t> expected = message(16, static_cast<uint32_t>(-error), unique);
        expected.resize(64, 0xee);
        EXPECT_EQ(bytes(what), expected);
    }
};

vmmio_error init_with(const char *tag, uint32_t queues, uint32_t job_count)
{
    static vmmio_fs_job jobs[8];
    server s;
    vmmio_fs fs;
    vmmio_fs_config config = {};
    config.tag = tag;
    config.num_request_queues = queues;
    config.backend = s.backend();
    config.jobs = jobs;
    config.job_count = job_count;
    return vmmio_fs_init(&fs, &config);
}

} // namespace

TEST(Fs, HasHiprioThenRequestQueues)
{
    ROWS("FS-01");
    fs_rig f(4, 3);
    EXPECT_EQ(f.r->read(VMMIO_REG_DEVICE_ID), 26u);
    for (uint32_t queue = 0; queue < 4; queue++)
        EXPECT_GT(f.r->read_queue(queue, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    EXPECT_EQ(f.r->read_queue(4, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    const vmmio_features features = f.r->guest.offered();
    EXPECT_EQ(features.word[0] & 0xffffff, 0u) << "F_NOTIFICATION is bit 0";
    f.s.reply = message(16, 0, 5);
    f.offer(3, header(40, FUSE_GETATTR, 5));
    EXPECT_EQ(f.used(3), 16u);
}

TEST(Fs, ConfigHoldsTagAndNumberOfQueues)
{
    ROWS("FS-02", "FS-03", "FS-05");
    fs_rig f(4, 3);
    const std::string tag = "host";
    for (uint32_t i = 0; i < 36; i++)
        EXPECT_EQ(f.r->read(0x100 + i, 1), i < tag.size() ? uint32_t(tag[i]) : 0u);
    EXPECT_EQ(f.r->read(0x100 + 36), 3u);
    EXPECT_EQ(f.r->read(0x100 + 40), 0u);
    f.r->write(0x100 + 36, 9);
    EXPECT_EQ(f.r->read(0x100 + 36), 3u);
    EXPECT_EQ(f.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 1u);
}

TEST(Fs, TagIsOneTo36BytesOfUtf8)
{
    ROWS("FS-02", "FS-03");
    EXPECT_EQ(init_with(std::string(36, 'x').c_str(), 1, 2), VMMIO_ERROR_OK);
    EXPECT_EQ(init_with("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 1, 2), VMMIO_ERROR_OK);
    for (const char *bad : {"", "\xff", "a\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xc3", "\xf0\x9f\x98"})
        EXPECT_EQ(init_with(bad, 1, 2), VMMIO_ERROR_FS_TAG) << bad;
    EXPECT_EQ(init_with(std::string(37, 'x').c_str(), 1, 2), VMMIO_ERROR_FS_TAG);
    EXPECT_EQ(init_with((std::string(35, 'x') + "\xc3\xa4").c_str(), 1, 2), VMMIO_ERROR_FS_TAG);
    EXPECT_EQ(init_with("x", 1, 1), VMMIO_ERROR_FS_LIMIT);
    EXPECT_EQ(init_with("x", 1025, 2), VMMIO_ERROR_FS_LIMIT);
    EXPECT_EQ(init_with(nullptr, 1, 2), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(init_with("x", 0, 2), VMMIO_ERROR_OK) << "0 stands for 1";
}

class FsModes : public ::testing::TestWithParam<dma_mode>
{
};

INSTANTIATE_TEST_SUITE_P(Dma, FsModes, every_dma_mode(), dma_mode_name);

TEST_P(FsModes, CarriesRequestAndReply)
{
    fs_rig f(4, 1, GetParam());
    f.s.reply = message(21, 0, 0x1122334455667788, "hello");
    std::vector<uint8_t> in = header(44, FUSE_LOOKUP, 0x1122334455667788);
    in.insert(in.end(), {'a', 'b', 'c', 0});
    const auto what = f.offer(REQUESTS, in);
    EXPECT_EQ(f.used(REQUESTS), 21u);
    EXPECT_EQ(f.s.body, (std::vector<uint8_t>{'a', 'b', 'c', 0}));
    auto expected = f.s.reply;
    expected.resize(64, 0xee);
    EXPECT_EQ(f.bytes(what), expected);
    EXPECT_EQ(f.s.released, std::vector<uint32_t>{FUSE_LOOKUP});
    EXPECT_EQ(f.fs.requests, 1u);
}

TEST(Fs, InitOfBothByteOrders)
{
    ROWS("FS-06");
    fs_rig f;
    f.s.reply = message(16, 0, 1);
    f.offer(REQUESTS, header(40, FUSE_INIT, 1));
    EXPECT_EQ(f.s.seen, std::vector<uint32_t>{FUSE_INIT});
    EXPECT_EQ(f.used(REQUESTS), 16u);
    // Big-endian: refused in its own order, and never shown to the server.
    std::vector<uint8_t> in = {0, 0, 0, 40, 0, 0, 0, 26, 1, 2, 3, 4, 5, 6, 7, 8};
    in.resize(40, 0);
    const auto what = f.offer(REQUESTS, in);
    EXPECT_EQ(f.used(REQUESTS), 16u);
    const uint8_t error = static_cast<uint8_t>(-EPROTO);
    std::vector<uint8_t> expected = {0, 0, 0, 16, 255, 255, 255, error, 1, 2, 3, 4, 5, 6, 7, 8};
    expected.resize(64, 0xee);
    EXPECT_EQ(f.bytes(what), expected);
    EXPECT_EQ(f.s.seen.size(), 1u);
    // The next session is served.
    f.offer(REQUESTS, header(40, FUSE_INIT, 1));
    EXPECT_EQ(f.s.seen.size(), 2u);
}

TEST(Fs, HiprioIsServedWhileEveryRequestIsStuck)
{
    ROWS("FS-07");
    fs_rig f(3);
    f.s.hold = true;
    for (uint64_t i = 0; i < 8; i++)
        f.offer(REQUESTS, header(40, FUSE_READ, i));
    EXPECT_EQ(f.s.held.size(), 2u) << "one job stays for hiprio, the rest waits";
    for (unsigned i = 0; i < 5; i++) {
        f.offer(HIPRIO, header(40, FUSE_FORGET, 100 + i), 0);
        EXPECT_EQ(f.used(HIPRIO), 0u);
    }
    EXPECT_EQ(std::count(f.s.seen.begin(), f.s.seen.end(), uint32_t(FUSE_FORGET)), 5);
    EXPECT_EQ(f.used(REQUESTS), std::nullopt);
    // The stuck ones end in order.
    f.s.hold = false;
    for (uint64_t i = 0; i < 2; i++) {
        f.s.reply = message(16, 0, i);
        vmmio_fs_job_done(f.s.held[i], f.s.reply.data(), 16);
        EXPECT_TRUE(f.s.wakes > 0);
        f.poll();
    }
    EXPECT_EQ(f.s.seen.size(), 13u);
    for (unsigned i = 0; i < 8; i++)
        EXPECT_EQ(f.used(REQUESTS), 16u) << i;
}

TEST(Fs, RequestsBelongToTheirQueue)
{
    ROWS("FS-08", "H-56");
    fs_rig f;
    for (const uint32_t opcode : {FUSE_FORGET, FUSE_INTERRUPT, FUSE_BATCH_FORGET})
        f.expect_error(REQUESTS, header(40, opcode, 7), EIO, 7);
    f.expect_error(HIPRIO, header(40, FUSE_GETATTR, 8), EIO, 8);
    EXPECT_TRUE(f.s.seen.empty());
    EXPECT_EQ(f.r->count(VMMIO_DIAG_REQUEST_QUEUE), 4u);
    f.offer(REQUESTS, header(40, FUSE_FORGET, 7), 0); // as it is sent, without room for an answer
    EXPECT_EQ(f.used(REQUESTS), 0u);
    f.offer(HIPRIO, header(40, FUSE_FORGET, 9), 0);
    EXPECT_EQ(f.used(HIPRIO), 0u);
    EXPECT_EQ(f.s.seen, std::vector<uint32_t>{FUSE_FORGET});
}

TEST(Fs, TheLengthInTheHeaderIsThatOfTheChain)
{
    ROWS("H-56");
    fs_rig f;
    for (const uint32_t length : {0u, 39u, 41u, 0xffffffffu, 0x80000000u})
        f.expect_error(REQUESTS, header(length, FUSE_GETATTR, 3), EIO, 3);
    EXPECT_EQ(f.r->count(VMMIO_DIAG_REQUEST_LENGTH), 5u);
    std::vector<uint8_t> cut = header(40, FUSE_GETATTR, 3);
    cut.resize(39);
    f.expect_error(REQUESTS, cut, EIO, 0);
    EXPECT_EQ(f.r->count(VMMIO_DIAG_REQUEST_SHORT), 1u);
    EXPECT_TRUE(f.s.seen.empty());
}

TEST(Fs, ARequestOfMoreThanTheLimitIsRefused)
{
    ROWS("H-56");
    fs_rig f;
    const uint32_t length = VMMIO_FS_REQUEST_MAX + 1;
    std::vector<uint8_t> in = header(length, FUSE_WRITE, 3);
    in.resize(length);
    f.expect_error(REQUESTS, in, E2BIG, 3);
    EXPECT_TRUE(f.s.seen.empty());
}

TEST(Fs, WithoutRoomForAnAnswerNothingHappens)
{
    ROWS("H-14", "H-56");
    fs_rig f;
    for (const uint32_t room : {0u, 1u, 15u}) {
        const auto what = f.offer(REQUESTS, header(40, FUSE_GETATTR, 3), room);
        EXPECT_EQ(f.used(REQUESTS), 0u);
        if (room) {
            EXPECT_EQ(f.bytes(what), std::vector<uint8_t>(room, 0xee));
        }
    }
    EXPECT_TRUE(f.s.seen.empty());
}

TEST(Fs, AReplyThatIsNoneBecomesAnError)
{
    ROWS("H-56");
    fs_rig f;
    const std::string large(49, 'x');
    const std::vector<std::vector<uint8_t>> bad = {
        message(65, 0, 3, large),  // longer than the room
        message(17, 0, 3),         // says more than there is
        message(15, 0, 3),         // says less
        message(16, 0, 4),         // another request's
        std::vector<uint8_t>(15)}; // shorter than a header
    for (const auto &reply : bad) {
        f.s.reply = reply;
        f.expect_error(REQUESTS, header(40, FUSE_READ, 3), EIO, 3);
    }
    EXPECT_EQ(f.r->count(VMMIO_DIAG_REQUEST_BACKEND), bad.size());
}

TEST(Fs, AnErrorIsTheNegativeErrno)
{
    fs_rig f;
    f.s.hold = true;
    const auto what = f.offer(REQUESTS, header(40, FUSE_READ, 77));
    ASSERT_EQ(f.s.held.size(), 1u);
    vmmio_fs_job_fail(f.s.held[0], ENOSPC);
    f.poll();
    EXPECT_EQ(f.used(REQUESTS), 16u);
    EXPECT_EQ(number(f.bytes(what), 4, 4), 0xffffffe4u) << "-28 in 32 bits";
    EXPECT_EQ(number(f.bytes(what), 8, 8), 77u);
}

TEST(Fs, AResetDropsWhatIsInFlightAndOrdersWhatFollows)
{
    ROWS("A-RESET-INFLIGHT", "H-34");
    fs_rig f(3);
    f.s.hold = true;
    std::vector<fs_rig::sent> old;
    for (uint64_t i = 0; i < 4; i++)
        old.push_back(f.offer(REQUESTS, header(40, FUSE_WRITE, i)));
    const auto held = f.s.held;
    ASSERT_EQ(held.size(), 2u);
    f.r->guest.reset();
    EXPECT_EQ(f.r->guest.status(), 0u);
    EXPECT_GE(f.s.resets, 1u);
    f.r->go_live(2);
    f.s.hold = false;
    f.s.reply = message(16, 0, 50);
    f.offer(REQUESTS, header(40, FUSE_INIT, 50));
    EXPECT_EQ(f.s.seen.size(), 2u) << "the old jobs have not ended";
    for (vmmio_fs_job *job : held)
        vmmio_fs_job_done(job, f.s.reply.data(), 16);
    f.poll();
    EXPECT_EQ(f.s.seen.back(), uint32_t(FUSE_INIT));
    EXPECT_EQ(f.used(REQUESTS), 16u);
    EXPECT_EQ(f.used(REQUESTS), std::nullopt);
    for (const auto &what : old)
        EXPECT_EQ(f.bytes(what), std::vector<uint8_t>(64, 0xee));
    EXPECT_EQ(f.s.released.size(), 3u);
}

TEST(Fs, WhatItsBackEndWorksOnIsSubmittedAgainAfterARestore)
{
    fs_rig f(3);
    f.s.hold = true;
    f.s.reply = message(16, 0, 7);
    const auto first = f.offer(REQUESTS, header(40, FUSE_GETATTR, 7));
    const auto second = f.offer(REQUESTS, header(40, FUSE_GETATTR, 7));
    const auto waits = f.offer(REQUESTS, header(40, FUSE_GETATTR, 7)); // for a job
    ASSERT_EQ(f.s.held.size(), 2u);
    EXPECT_EQ(f.r->restore(f.r->save()), VMMIO_ERROR_STATE_BUSY) << "it works on the earlier ones";
    f.s.seen.clear();
    ASSERT_TRUE(f.r->move());
    EXPECT_TRUE(f.s.seen.empty()) << "at the next run";
    f.r->run();
    ASSERT_EQ(f.s.held.size(), 2u);
    for (unsigned i = 0; i < 3; i++) {
        f.s.finish(f.s.held.at(0));
        f.s.held.erase(f.s.held.begin());
        f.poll();
        EXPECT_EQ(f.used(REQUESTS), 16u);
    }
    for (const auto &what : {first, second, waits})
        EXPECT_EQ(f.bytes(what)[8], 7u);
    EXPECT_TRUE(f.s.held.empty());
}

TEST(Fs, ASessionOfTheBackEndCannotBeSaved)
{
    fs_rig f;
    size_t length = 0;
    f.s.holds = true;
    EXPECT_EQ(vmmio_device_save(&f.r->device, nullptr, nullptr, 0, &length),
              VMMIO_ERROR_STATE_SESSION);
    f.s.holds = false;
    EXPECT_TRUE(f.r->move());
}

} // namespace vmmio::tb
