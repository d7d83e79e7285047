#include "network_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "kernels/network.hpp"

namespace alphacut {
namespace {

constexpr int64_t kMostChannels = 4096, kMostShrink = 8, kMostOps = 1024;
constexpr double kMostValues = 1024;  // of all tensors, for each pixel of the picture

// As zlib's.
uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr auto table = [] {
    std::array<uint32_t, 256> remainders{};
    for (uint32_t i = 0; i < 256; ++i) {
      remainders[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        remainders[i] = (remainders[i] >> 1) ^ (remainders[i] % 2 == 1 ? 0xedb88320u : 0u);
    }
    return remainders;
  }();
  uint32_t remainder = 0xffffffffu;
  for (const std::byte byte : bytes)
    remainder = (remainder >> 8) ^ table[(remainder ^ static_cast<uint32_t>(byte)) & 255];
  return ~remainder;
}

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument("file of the network: " + why); }

// Takes little-endian numbers from the front.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  std::span<const std::byte> take(size_t bytes) {
    if (bytes > rest_.size()) refuse("it ends too early");
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }
  template <class T>
  T number() {
    T value = 0;
    for (int shift = 0; const std::byte byte : take(sizeof(T))) {
      value = static_cast<T>(value | static_cast<T>(static_cast<T>(byte) << shift));
      shift += 8;
    }
    return value;
  }
  int64_t unsigned16() { return number<uint16_t>(); }
  int64_t signed16() { return static_cast<int16_t>(number<uint16_t>()); }
  // So bounded that no product with a sum, and no sum of such, leaves the range of float.
  float real() {
    const float value = std::bit_cast<float>(number<uint32_t>());
    if (!(std::fabs(value) < 1e20f)) refuse("a scale, bias or factor is not a number below 1e20");
    return value;
  }
  std::vector<float> reals(size_t n) {
    if (4 * n > rest_.size()) refuse("it ends too early");
    std::vector<float> values(n);
    for (float& value : values) value = real();
    return values;
  }
  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
};

int64_t largest(const NetworkShape& shape) { return std::max(std::abs(shape.low), std::abs(shape.high)); }

// Reads one operation after the other of a part, and says which one is wrong.
class PartReader {
 public:
  PartReader(Reader& reader, std::string name) : reader_(reader), name_(std::move(name)) {}

  NetworkPart read() {
    const int64_t inputs = reader_.unsigned16(), ops = reader_.unsigned16(), outputs = reader_.unsigned16();
    where_ = name_;
    require(inputs >= 1 && ops >= 1 && std::max({inputs, ops, outputs}) <= kMostOps, "too few or too many tensors");
    part_.inputs = static_cast<size_t>(inputs);
    for (int64_t i = 0; i < inputs; ++i) {
      where_ = name_ + ", input " + std::to_string(i);
      read_input();
    }
    for (int64_t i = 0; i < ops; ++i) {
      where_ = name_ + ", operation " + std::to_string(i);
      read_op(i + 1 == ops);
    }
    for (int64_t i = 0; i < outputs; ++i) {
      where_ = name_ + ", output " + std::to_string(i);
      read_output();
    }
    return std::move(part_);
  }

 private:
  Reader& reader_;
  std::string name_, where_;
  NetworkPart part_;
  double values_ = 0;

  void require(bool holds, std::string_view what) const {
    if (!holds) refuse(where_ + ": " + std::string(what));
  }
  void require(const char* name, int64_t found, int64_t wanted) const {
    require(found == wanted,
            std::string(name) + " must be " + std::to_string(wanted) + ", got " + std::to_string(found));
  }

  void append(const NetworkShape& shape) {
    require(shape.channels >= 2 && shape.channels % 2 == 0 && shape.channels <= kMostChannels,
            "channels must be even, from 2 to 4096, got " + std::to_string(shape.channels));
    require(shape.shrink <= kMostShrink, "the picture is halved more than 8 times");
    require(shape.low <= shape.high, "low must not be above high");
    values_ += std::ldexp(static_cast<double>(shape.channels), static_cast<int>(-2 * shape.shrink));
    require(values_ <= kMostValues, "the tensors have more than 1024 values for each pixel of the picture");
    part_.tensors.push_back(shape);
  }

  void read_input() {
    NetworkShape shape;
    shape.channels = reader_.unsigned16();
    shape.shrink = reader_.unsigned16();
    shape.low = reader_.signed16();
    shape.high = reader_.signed16();
    append(shape);
  }

  void read_output() {
    const auto tensor = static_cast<size_t>(reader_.unsigned16());
    require(tensor >= part_.inputs && tensor < part_.tensors.size(), "must be the output of an operation");
    require(std::find(part_.outputs.begin(), part_.outputs.end(), tensor) == part_.outputs.end(),
            "is an output already");
    part_.outputs.push_back(tensor);
  }

  void read_op(bool last) {
    NetworkOp op;
    NetworkShape out;
    const int64_t kind = reader_.unsigned16();
    require(kind <= NetworkOp::log_odds, "unknown kind " + std::to_string(kind));
    op.kind = static_cast<NetworkOp::Kind>(kind);
    out.channels = reader_.unsigned16();
    op.kernel = reader_.unsigned16();
    op.stride = reader_.unsigned16();
    op.dilation = reader_.unsigned16();
    op.before = reader_.unsigned16();
    out.low = reader_.signed16();
    out.high = reader_.signed16();
    const int64_t inputs = reader_.unsigned16();
    for (int64_t i = 0; i < inputs; ++i) {
      const auto tensor = static_cast<size_t>(reader_.unsigned16());
      require(tensor < part_.tensors.size(), "its inputs must be inputs of the part or earlier outputs");
      op.inputs.push_back(tensor);
    }
    switch (op.kind) {
      case NetworkOp::conv:
      case NetworkOp::depthwise:
      case NetworkOp::log_odds:
        read_conv(op, out);
        break;
      case NetworkOp::add:
        read_add(op, out);
        break;
      case NetworkOp::average:
        read_average(op, out);
        break;
      case NetworkOp::concat:
        read_concat(op, out);
        break;
    }
    require(op.kind != NetworkOp::log_odds || last, "nothing may follow the log-odds");
    if (op.kind != NetworkOp::log_odds) append(out);
    part_.ops.push_back(std::move(op));
  }

  const NetworkShape& input(const NetworkOp& op, size_t i) const { return part_.tensors[op.inputs[i]]; }

  void require_inputs(const NetworkOp& op, size_t least, size_t most) const {
    require(op.inputs.size() >= least && op.inputs.size() <= most, "wrong number of inputs");
  }

  void require_window(const NetworkOp& op) const {
    const bool deep = op.kind == NetworkOp::depthwise;
    require(op.kernel == 3 || op.kernel == (deep ? 5 : 1), deep ? "kernel must be 3 or 5" : "kernel must be 1 or 3");
    require(op.stride == 1 || op.stride == 2, "stride must be 1 or 2");
    require(op.dilation >= 1 && op.dilation <= 2, "dilation must be 1 or 2");
    const int64_t after = (op.kernel - 1) * op.dilation - op.before - (op.stride - 1);
    require(op.before <= kNetworkMargin && after <= kNetworkMargin && after >= 1 - op.stride,
            "windows must not reach more than 2 pixels beyond the picture");
  }

  void read_conv(NetworkOp& op, NetworkShape& out) {
    const bool deep = op.kind == NetworkOp::depthwise, odds = op.kind == NetworkOp::log_odds;
    require_inputs(op, 1, op.kind == NetworkOp::conv ? 2 : 1);
    require_window(op);
    const NetworkShape in = input(op, 0);
    out.shrink = in.shrink + op.stride - 1;
    if (deep) {
      require("channels", out.channels, in.channels);
      require(out.channels % kNetworkLanes == 0, "channels must be a multiple of 16");
    } else if (odds) {
      require("channels", out.channels, 4);
      require("kernel", op.kernel, 3);
      require("stride", op.stride, 1);
      require("dilation", op.dilation, 1);
      require("before", op.before, 1);
      require("low", out.low, 0);
      require("high", out.high, 0);
      require(in.shrink == 1 && in.channels % 8 == 0,
              "log-odds must come of half the picture's size and channels that are a multiple of 8");
    } else {
      require(out.channels >= 8 && out.channels % 8 == 0 && out.channels <= kMostChannels,
              "channels must be a multiple of 8, at most 4096, got " + std::to_string(out.channels));
      if (op.inputs.size() == 2) {
        require("channels of the second input", input(op, 1).channels, out.channels);
        require("shrink of the second input", input(op, 1).shrink, out.shrink);
      }
    }
    op.factors = reader_.reals(op.inputs.size() - 1);
    const auto channels = static_cast<size_t>(out.channels);
    op.scale = reader_.reals(channels);
    op.bias = reader_.reals(channels);
    const size_t taps = static_cast<size_t>(op.kernel * op.kernel * (deep ? 1 : in.channels));
    const std::span<const std::byte> weights = reader_.take(channels * taps);
    op.products = out.channels * static_cast<int64_t>(taps);
    require_sums(weights, taps, largest(in));
    if (deep)
      pack_depthwise(op, weights, channels, taps);
    else
      pack_conv(op, weights, channels, taps);
  }

  // No sum, in any order, may leave 32 bits.
  void require_sums(std::span<const std::byte> weights, size_t taps, int64_t most) const {
    for (size_t at = 0; at < weights.size(); at += taps) {
      int64_t sum = 0;
      for (const std::byte weight : weights.subspan(at, taps)) {
        require(static_cast<int8_t>(weight) != -128, "a weight is -128; they are from -127 to 127");
        sum += std::abs(static_cast<int>(static_cast<int8_t>(weight)));
      }
      require(sum * most < int64_t{1} << 31, "its sums may leave 32 bits");
    }
  }

  // weights[channel][tap] for kernels: for each group of channels and each run of taps, the channels' runs.
  static void pack_conv(NetworkOp& op, std::span<const std::byte> weights, size_t channels, size_t taps) {
    const size_t group = op.kind == NetworkOp::log_odds ? 4 : kNetworkLanes, run = 2 * kNetworkLanes / group;
    const size_t groups = (channels + group - 1) / group;
    op.weights = make_network_values(static_cast<int64_t>(groups * group * taps));
    for (size_t channel = 0; channel < channels; ++channel)
      for (size_t tap = 0; tap < taps; ++tap) {
        const size_t place = channel / group * group * taps + (tap / run * group + channel % group) * run + tap % run;
        op.weights[place] = static_cast<int8_t>(weights[channel * taps + tap]);
      }
    op.scale.resize(groups * group);
    op.bias.resize(groups * group);
  }

  // For each 16 channels and each two taps (the last with a 0) the two weights of each channel; in the order of
  // network_zipped_lane(), and scale and bias too.
  static void pack_depthwise(NetworkOp& op, std::span<const std::byte> weights, size_t channels, size_t taps) {
    const size_t pairs = (taps + 1) / 2;
    op.weights = make_network_values(static_cast<int64_t>(channels * 2 * pairs));
    const std::vector<float> scale = op.scale, bias = op.bias;
    for (size_t channel = 0; channel < channels; ++channel) {
      const size_t block = channel / kNetworkLanes, lane = network_zipped_lane(channel % kNetworkLanes);
      op.scale[block * kNetworkLanes + lane] = scale[channel];
      op.bias[block * kNetworkLanes + lane] = bias[channel];
      for (size_t tap = 0; tap < taps; ++tap) {
        const size_t place = ((block * pairs + tap / 2) * kNetworkLanes + lane) * 2 + tap % 2;
        op.weights[place] = static_cast<int8_t>(weights[channel * taps + tap]);
      }
    }
  }

  // What has no window says so.
  void require_no_window(const NetworkOp& op) const {
    require("kernel", op.kernel, 0);
    require("stride", op.stride, 0);
    require("dilation", op.dilation, 0);
    require("before", op.before, 0);
  }

  void read_add(NetworkOp& op, NetworkShape& out) {
    require_inputs(op, 2, 2);
    require_no_window(op);
    const NetworkShape &fine = input(op, 0), &coarse = input(op, 1);
    out.shrink = fine.shrink;
    require(out.channels % kNetworkLanes == 0, "channels must be a multiple of 16");
    require("channels of the first input", fine.channels, out.channels);
    require("channels of the second input", coarse.channels, out.channels);
    require(coarse.shrink == fine.shrink || coarse.shrink == fine.shrink + 1,
            "the second input must have the size of the first, or half");
    op.factors = reader_.reals(2);
    op.products = 16 * out.channels;
  }

  void read_average(NetworkOp& op, NetworkShape& out) {
    require_inputs(op, 1, 1);
    require_no_window(op);
    const NetworkShape& in = input(op, 0);
    require("channels", out.channels, in.channels);
    require("low", out.low, in.low);
    require("high", out.high, in.high);
    out.shrink = in.shrink + 1;
    op.products = 4 * out.channels;
  }

  void read_concat(NetworkOp& op, NetworkShape& out) {
    require_inputs(op, 1, 16);
    require_no_window(op);
    int64_t channels = 0;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      require(input(op, i).channels % kNetworkLanes == 0, "channels must be a multiple of 16");
      require("shrink of an input", input(op, i).shrink, input(op, 0).shrink);
      channels += input(op, i).channels;
    }
    require("channels", out.channels, channels);
    out.shrink = input(op, 0).shrink;
    op.factors = reader_.reals(op.inputs.size());
    op.products = 4 * out.channels;
  }
};

void check_parts(const NetworkPart& picture, const NetworkPart& prompt) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) refuse(what);
  };
  require(picture.inputs == 1 && picture.tensors[0].shrink == 0, "the picture's part must have one input, of its size");
  require(picture.ops.back().kind != NetworkOp::log_odds && !picture.outputs.empty(),
          "the picture's part must end with features");
  require(prompt.ops.back().kind == NetworkOp::log_odds && prompt.outputs.empty(),
          "the prompt's part must end with log-odds alone");
  require(prompt.inputs == picture.outputs.size() + 1,
          "the prompt's part must have the features and the planes as inputs");
  for (size_t i = 0; i < picture.outputs.size(); ++i) {
    const NetworkShape &made = picture.tensors[picture.outputs[i]], &wanted = prompt.tensors[i];
    require(made.channels == wanted.channels && made.shrink == wanted.shrink && made.low == wanted.low &&
                made.high == wanted.high,
            "the prompt's part must take the features as they are made");
  }
}

int64_t multiple_of(const NetworkProgram& program) {
  int64_t shrink = 0;
  for (const NetworkPart* part : {&program.picture, &program.prompt})
    for (const NetworkShape& shape : part->tensors) shrink = std::max(shrink, shape.shrink);
  return int64_t{1} << shrink;
}

}  // namespace

NetworkValues make_network_values(int64_t n) {
  const size_t bytes = static_cast<size_t>(n) * sizeof(int16_t);
  NetworkValues values(static_cast<int16_t*>(::operator new(bytes, std::align_val_t{64})));
  std::fill_n(values.get(), n, int16_t{0});
  return values;
}

NetworkProgram read_network(std::span<const std::byte> file) {
  static constexpr char marker[8] = "ACNET\0\0";
  Reader header(file);
  if (std::memcmp(header.take(sizeof marker).data(), marker, sizeof marker) != 0)
    refuse("it does not begin with 'ACNET'");
  if (const auto version = header.number<uint32_t>(); version != 2)
    refuse("version must be 2, got " + std::to_string(version));
  const auto length = header.number<uint32_t>(), checksum = header.number<uint32_t>();
  if (length != header.rest().size())
    refuse("it must have " + std::to_string(length) + " bytes after the header, got " +
           std::to_string(header.rest().size()));
  if (crc32(header.rest()) != checksum) refuse("its checksum is wrong");
  Reader payload(header.rest());
  if (const int64_t parts = payload.unsigned16(); parts != 2)
    refuse("it must have 2 parts, got " + std::to_string(parts));
  NetworkProgram program;
  program.picture = PartReader(payload, "picture").read();
  program.prompt = PartReader(payload, "prompt").read();
  if (!payload.rest().empty()) refuse("it goes on after the last part");
  check_parts(program.picture, program.prompt);
  program.multiple = multiple_of(program);
  return program;
}

}  // namespace alphacut
