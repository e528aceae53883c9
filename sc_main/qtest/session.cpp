// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include "base64.h"
#include "common/number.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <vector>

namespace vmmio::qtest
{

namespace
{

constexpr std::string_view ok = "OK\n";
constexpr std::string_view digits = "0123456789abcdef";

// A client's word as it may appear in a reply.
std::string quoted(std::string_view word)
{
    constexpr std::size_t shown = 40;
    std::string text = "'";
    for (const char c : word.substr(0, shown))
        text += c >= ' ' && c <= '~' ? c : '?';
    return text + (word.size() > shown ? "...'" : "'");
}

std::optional<std::uint8_t> nibble(char c)
{
    if (c >= 'A' && c <= 'F')
        c = static_cast<char>(c - 'A' + 'a');
    const std::size_t value = digits.find(c);
    if (value == std::string_view::npos)
        return std::nullopt;
    return static_cast<std::uint8_t>(value);
}

// "0x" and pairs of digits; nothing if it is anything else.
std::optional<std::vector<std::uint8_t>> hex_decode(std::string_view text)
{
    if (text.substr(0, 2) != "0x" || text.size() < 4 || text.size() % 2 != 0)
        return std::nullopt;
    std::vector<std::uint8_t> data;
    data.reserve(text.size() / 2 - 1);
    for (std::size_t i = 2; i < text.size(); i += 2) {
        const auto high = nibble(text[i]);
        const auto low = nibble(text[i + 1]);
        if (!high || !low)
            return std::nullopt;
        data.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
    }
    return data;
}

} // namespace

// The words of a command. It remembers the first thing that is wrong with them, so that a command
// asks once, after it has taken all.
class arguments
{
public:
    // line: what follows the command's name and a space.
    explicit arguments(std::optional<std::string_view> line) : rest_(line) {}

    bool any() const { return rest_.has_value(); }

    std::string_view word(std::string_view name)
    {
        if (!rest_) {
            refuse(fmt::format("{} is missing", name));
            return {};
        }
        const std::size_t space = rest_->find(' ');
        const std::string_view found = rest_->substr(0, space);
        if (space == std::string_view::npos)
            rest_.reset();
        else
            rest_->remove_prefix(space + 1);
        return found;
    }

    std::uint64_t number(std::string_view name)
    {
        const bool present = any();
        const std::string_view text = word(name);
        const auto value = parse_number(text);
        if (present && !value)
            refuse(fmt::format("{} {} is not a number of 64 bits", name, quoted(text)));
        return value.value_or(0);
    }

    // ADDR and SIZE of a block.
    std::pair<std::uint64_t, std::uint64_t> block()
    {
        const std::uint64_t address = number("ADDR");
        const std::uint64_t size = number("SIZE");
        if (size > block_max)
            refuse(fmt::format("SIZE is above {}", block_max));
        else
            must_fit(address, size);
        return {address, size};
    }

    void must_fit(std::uint64_t address, std::uint64_t size)
    {
        if (size > 0 && address + (size - 1) < address)
            refuse("the range ends above 2^64");
    }

    void refuse(std::string reason)
    {
        if (problem_.empty())
            problem_ = std::move(reason);
    }

    bool wrong() const { return !problem_.empty(); }
    const std::string &problem() const { return problem_; }

private:
    std::optional<std::string_view> rest_;
    std::string problem_;
};

const session::command session::commands[] = {
    {"readb", &session::read_value, 1},      {"readw", &session::read_value, 2},
    {"readl", &session::read_value, 4},      {"readq", &session::read_value, 8},
    {"writeb", &session::write_value, 1},    {"writew", &session::write_value, 2},
    {"writel", &session::write_value, 4},    {"writeq", &session::write_value, 8},
    {"read", &session::read_hex, 0},         {"write", &session::write_hex, 0},
    {"b64read", &session::read_base64, 0},   {"b64write", &session::write_base64, 0},
    {"memset", &session::fill, 0},           {"irq_intercept_in", &session::intercept, 0},
    {"clock_step", &session::step_clock, 0}, {"clock_set", &session::set_clock, 0},
    {"endianness", &session::endianness, 0}, {"save", &session::save, 0},
    {"restore", &session::restore, 0},
};

session::session(machine &on) : machine_(on)
{
    machine_.on_interrupt = [this](bool level) { interrupt(level); };
}

session::~session() { machine_.on_interrupt = nullptr; }

std::string session::execute(std::string_view line)
{
    std::string reply = dispatch(line);
    machine_.device().settle();
    reply.insert(0, interrupts_);
    interrupts_.clear();
    return reply;
}

std::string session::fail(std::string_view reason) { return fmt::format("FAIL {}\n", reason); }

std::string session::dispatch(std::string_view line)
{
    static constexpr std::array<std::string_view, 9> known = {
        "inb",        "inw", "inl", "outb", "outw", "outl", "set_irq_in", "irq_intercept_out",
        "module_load"};

    const std::size_t space = line.find(' ');
    const std::string_view name = line.substr(0, space);
    if (name.empty())
        return fail("a line begins with a command");
    if (std::find(known.begin(), known.end(), name) != known.end())
        return fail(fmt::format("{}: this machine has nothing for it", name));
    const auto found = std::find_if(std::begin(commands), std::end(commands),
                                    [name](const command &c) { return c.name == name; });
    if (found == std::end(commands))
        return fail(fmt::format("Unknown command {}", quoted(name)));

    arguments args(space == std::string_view::npos ? std::nullopt
                                                   : std::optional(line.substr(space + 1)));
    width_ = found->width;
    std::string reply = (this->*found->run)(args);
    return args.wrong() ? fail(args.problem()) : reply;
}

std::string session::read_value(arguments &args)
{
    const std::uint64_t address = args.number("ADDR");
    args.must_fit(address, width_);
    if (args.wrong())
        return {};
    std::array<std::uint8_t, 8> data{};
    machine_.bus().read(address, data.data(), width_);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width_; i++)
        value |= std::uint64_t{data[i]} << 8 * i;
    return fmt::format("OK 0x{:016x}\n", value);
}

std::string session::write_value(arguments &args)
{
    const std::uint64_t address = args.number("ADDR");
    std::uint64_t value = args.number("VALUE");
    args.must_fit(address, width_);
    if (args.wrong())
        return {};
    std::array<std::uint8_t, 8> data{};
    for (unsigned i = 0; i < width_; i++, value >>= 8)
        data[i] = static_cast<std::uint8_t>(value);
    machine_.bus().write(address, data.data(), width_);
    return std::string(ok);
}

std::string session::read_hex(arguments &args)
{
    const auto [address, size] = args.block();
    if (size == 0)
        args.refuse("SIZE is 0");
    if (args.wrong())
        return {};
    std::vector<std::uint8_t> data(size);
    machine_.bus().read(address, data.data(), size);
    std::string reply = "OK 0x";
    reply.reserve(reply.size() + 2 * size + 1);
    for (const std::uint8_t byte : data) {
        reply += digits[byte >> 4];
        reply += digits[byte & 15];
    }
    return reply += '\n';
}

std::string session::write_hex(arguments &args)
{
    const auto [address, size] = args.block();
    auto data = hex_decode(args.word("DATA"));
    if (!data)
        args.refuse("DATA is not 0x and pairs of hexadecimal digits");
    if (args.wrong())
        return {};
    data->resize(size);
    machine_.bus().write(address, data->data(), size);
    return std::string(ok);
}

std::string session::read_base64(arguments &args)
{
    const auto [address, size] = args.block();
    if (args.wrong())
        return {};
    std::vector<std::uint8_t> data(size);
    machine_.bus().read(address, data.data(), size);
    return fmt::format("OK {}\n", base64_encode(data));
}

std::string session::write_base64(arguments &args)
{
    const auto [address, size] = args.block();
    const auto data = base64_decode(args.word("DATA"));
    if (!data)
        args.refuse("DATA is not base64");
    if (args.wrong())
        return {};
    machine_.bus().write(address, data->data(), std::min<std::uint64_t>(data->size(), size));
    return std::string(ok);
}

std::string session::fill(arguments &args)
{
    const auto [address, size] = args.block();
    const std::uint64_t value = args.number("VALUE");
    if (args.wrong())
        return {};
    const std::vector<std::uint8_t> data(size, static_cast<std::uint8_t>(value));
    machine_.bus().write(address, data.data(), size);
    return std::string(ok);
}

std::string session::intercept(arguments &args)
{
    const std::string_view path = args.word("QOM-PATH");
    if (path.empty())
        args.refuse("QOM-PATH is empty");
    else if (args.any())
        args.refuse("named inputs cannot be intercepted");
    else if (!intercepted_.empty() && intercepted_ != path)
        args.refuse("IRQ intercept already enabled");
    if (args.wrong())
        return {};
    intercepted_ = path;
    return std::string(ok);
}

std::string session::step_clock(arguments &args)
{
    if (!args.any()) {
        args.refuse("cannot advance clock to the next deadline because there is no pending "
                    "deadline");
        return {};
    }
    const std::uint64_t ns = args.number("NS");
    if (ns == 0 || ns > clock_max - clock_ns_)
        args.refuse("could not advance time");
    if (args.wrong())
        return {};
    machine_.device().advance(ns);
    clock_ns_ += ns;
    return fmt::format("OK {}\n", clock_ns_);
}

std::string session::set_clock(arguments &args)
{
    const std::uint64_t ns = args.number("NS");
    if (ns < clock_ns_ || ns > clock_max)
        args.refuse(fmt::format("{}", clock_ns_));
    if (args.wrong())
        return {};
    if (ns > clock_ns_)
        machine_.device().advance(ns - clock_ns_);
    clock_ns_ = ns;
    return fmt::format("OK {}\n", clock_ns_);
}

std::string session::endianness(arguments &) { return "OK little\n"; }

std::string session::save(arguments &args)
{
    std::vector<std::uint8_t> state;
    const vmmio_error error = machine_.device().save(state);
    if (error != VMMIO_ERROR_OK)
        args.refuse(vmmio_error_text(error));
    return fmt::format("OK {}\n", base64_encode(state));
}

std::string session::restore(arguments &args)
{
    const auto state = base64_decode(args.word("DATA"));
    if (!state)
        args.refuse("DATA is not base64");
    if (args.wrong())
        return {};
    const vmmio_error error = machine_.device().restore(*state);
    if (error != VMMIO_ERROR_OK)
        args.refuse(vmmio_error_text(error));
    return std::string(ok);
}

void session::interrupt(bool level)
{
    if (intercepted_.empty() || level == raised_)
        return;
    raised_ = level;
    interrupts_ += fmt::format("IRQ {} {}\n", level ? "raise" : "lower", device_interrupt);
}

} // namespace vmmio::qtest
