#include "alphacut/network.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"

namespace alphacut {
namespace {

// Not blocks of the store (blocks.hpp): they live as long as the network.
struct Free {
  void operator()(int16_t* values) const { ::operator delete(values, std::align_val_t{64}); }
};
using Values = std::unique_ptr<int16_t[], Free>;

Values make_values(int64_t n) {
  Values values(static_cast<int16_t*>(::operator new(static_cast<size_t>(n) * sizeof(int16_t), std::align_val_t{64})));
  std::fill_n(values.get(), n, int16_t{0});
  return values;
}

enum Kind : uint16_t { linear, relu, block_end, logit, add };

struct Shape {
  uint16_t in, out, kernel, stride, dilation, kind;
};

struct Layer {
  Shape shape = {};
  float a = 0, b = 0;  // factors of the fine and the coarse input of an addition; a: of the block's input
  std::vector<float> scale, bias;
  Values weights;  // as NetworkRow has them

  int64_t taps() const { return int64_t{shape.kernel} * shape.kernel * shape.in; }
};

std::vector<Shape> topology() {
  std::vector<Shape> all;
  const auto down = [&](int in, int out) {
    all.push_back({static_cast<uint16_t>(in), static_cast<uint16_t>(out), 3, 2, 1, relu});
  };
  const auto block = [&](int channels, int dilation) {
    const auto outer = static_cast<uint16_t>(channels), inner = static_cast<uint16_t>(channels / 2);
    all.push_back({outer, inner, 1, 1, 1, relu});
    all.push_back({inner, inner, 3, 1, static_cast<uint16_t>(dilation), relu});
    all.push_back({inner, outer, 1, 1, 1, block_end});
  };
  down(10, 16);
  down(16, 32);
  block(32, 1);
  down(32, 64);
  block(64, 1), block(64, 2);
  down(64, 96);
  block(96, 1), block(96, 2);
  block(96, 1), block(96, 1);
  all.push_back({0, 96, 0, 0, 0, add});
  block(96, 1);
  all.push_back({96, 64, 1, 1, 1, linear});
  all.push_back({0, 64, 0, 0, 0, add});
  block(64, 1);
  all.push_back({64, 32, 1, 1, 1, linear});
  all.push_back({0, 32, 0, 0, 0, add});
  block(32, 1), block(32, 1);
  all.push_back({32, 4, 3, 1, 1, logit});
  return all;
}

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
  // So bounded that no product with a sum, and no sum of such, leaves the range of float.
  float real() {
    const float value = std::bit_cast<float>(number<uint32_t>());
    if (!(std::fabs(value) < 1e20f)) refuse("a scale, bias or factor is not a number below 1e20");
    return value;
  }
  std::vector<float> reals(int64_t n) {
    std::vector<float> values(static_cast<size_t>(n));
    for (float& value : values) value = real();
    return values;
  }
  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
};

// weights[channel][tap] as the kernels read them: for each group of channels and each run of taps, the channels' runs.
Values pack(std::span<const std::byte> weights, const Shape& shape, int64_t taps) {
  const int64_t group = shape.kind == logit ? 4 : kNetworkLanes, run = 2 * kNetworkLanes / group;
  Values packed = make_values(shape.out * taps);
  for (int64_t channel = 0; channel < shape.out; ++channel)
    for (int64_t tap = 0; tap < taps; ++tap) {
      const auto weight = static_cast<int8_t>(weights[static_cast<size_t>(channel * taps + tap)]);
      if (weight == -128) refuse("a weight is -128; they are from -127 to 127");
      const int64_t place = channel / group * group * taps + (tap / run * group + channel % group) * run + tap % run;
      packed[static_cast<size_t>(place)] = weight;
    }
  return packed;
}

Layer read_layer(Reader& reader, const Shape& expected, size_t index) {
  static constexpr const char* names[] = {"in", "out", "kernel", "stride", "dilation", "kind"};
  const std::array<uint16_t, 6> wanted = {expected.in,     expected.out,      expected.kernel,
                                          expected.stride, expected.dilation, expected.kind};
  for (size_t i = 0; i < wanted.size(); ++i)
    if (const auto found = reader.number<uint16_t>(); found != wanted[i])
      refuse("layer " + std::to_string(index) + " must have " + names[i] + " = " + std::to_string(wanted[i]) +
             ", got " + std::to_string(found));
  Layer layer;
  layer.shape = expected;
  layer.a = reader.real();
  if (expected.kind == add) {
    layer.b = reader.real();
    return layer;
  }
  if (expected.kind != block_end && layer.a != 0) refuse("layer " + std::to_string(index) + " ends no block but skips");
  layer.scale = reader.reals(expected.out);
  layer.bias = reader.reals(expected.out);
  const auto size = static_cast<size_t>(expected.out * layer.taps());  // a multiple of 4: no padding follows
  layer.weights = pack(reader.take(size), expected, layer.taps());
  return layer;
}

std::vector<Layer> read_layers(std::span<const std::byte> file) {
  static constexpr char marker[8] = "ACNET\0\0";
  Reader header(file);
  if (std::memcmp(header.take(sizeof marker).data(), marker, sizeof marker) != 0)
    refuse("it does not begin with 'ACNET'");
  if (const auto version = header.number<uint32_t>(); version != 1)
    refuse("version must be 1, got " + std::to_string(version));
  const auto length = header.number<uint32_t>(), checksum = header.number<uint32_t>();
  if (length != header.rest().size())
    refuse("it must have " + std::to_string(length) + " bytes after the header, got " +
           std::to_string(header.rest().size()));
  if (crc32(header.rest()) != checksum) refuse("its checksum is wrong");
  std::vector<Layer> layers;
  Reader payload(header.rest());
  for (const Shape& shape : topology()) layers.push_back(read_layer(payload, shape, layers.size()));
  if (!payload.rest().empty()) refuse("it goes on after the last layer");
  return layers;
}

// Rows of pixels with two pixels of zeros to the left and to the right; a row shares them with the next.
struct Tensor {
  int16_t* data = nullptr;  // the first pixel
  int64_t height = 0, width = 0, channels = 0;

  static constexpr int64_t kMargin = 2;
  static int64_t size(int64_t height, int64_t width, int64_t channels) {
    const int64_t values = (height * (width + kMargin) + kMargin) * channels;
    return (values + 31) / 32 * 32;  // whole lines of the cache
  }
  static Tensor at(int16_t* memory, int64_t height, int64_t width, int64_t channels) {
    return {memory + kMargin * channels, height, width, channels};
  }
  int64_t pitch() const { return (width + kMargin) * channels; }
  int16_t* row(int64_t y) const { return data + y * pitch(); }
  void clear_margins(int64_t y) const {
    std::fill_n(row(y) + width * channels, kMargin * channels, int16_t{0});
    if (y == 0) std::fill_n(data - kMargin * channels, kMargin * channels, int16_t{0});
  }
  ImageView<const int16_t> view() const {
    return {data, height, width, channels, static_cast<ptrdiff_t>(pitch() * static_cast<int64_t>(sizeof(int16_t)))};
  }
};

// The activations of one run. The stem's output is dead when the next layer is there, and the rest lies in its place.
struct Arena {
  int64_t height, width;
  Values memory;
  const int16_t* zeros;     // a row outside the picture
  int16_t *first, *second;  // of a block's inner tensors
  Tensor stem, b, c, d, e, linear_d, linear_c;

  Arena(int64_t rows, int64_t columns) : height(rows), width(columns) {
    const auto size = [&](int64_t shrink, int64_t channels) {
      return Tensor::size(rows / shrink, columns / shrink, channels);
    };
    // Windows reach from 96 values before a row to 10 · columns (the planes) or 8 · columns + 96 behind its start.
    const int64_t zero_row = 12 * columns + 512;
    const int64_t inner = std::max({size(4, 16), size(8, 32), size(16, 48)});
    const int64_t rest = 2 * inner + size(8, 64) + size(16, 96) + size(32, 96) + size(16, 64) + size(8, 32);
    memory = make_values(zero_row + size(4, 32) + std::max(size(2, 16), rest));
    zeros = memory.get() + 256;
    int16_t* next = memory.get() + zero_row;
    const auto take = [&](int64_t shrink, int64_t channels) {
      int16_t* const start = next;
      next += size(shrink, channels);
      return Tensor::at(start, rows / shrink, columns / shrink, channels);
    };
    b = take(4, 32);
    stem = Tensor::at(next, rows / 2, columns / 2, 16);
    first = next;
    second = next + inner;
    next += 2 * inner;
    c = take(8, 64);
    d = take(16, 96);
    e = take(32, 96);
    linear_d = take(16, 64);
    linear_c = take(8, 32);
  }
};

// Arenas that wait for the next run. Without a lock: a child of fork could find it held by a thread that it lacks.
class Arenas {
 public:
  ~Arenas() {
    for (auto& place : places_) delete place.load();
  }
  // One of this size; any other that is met goes.
  std::unique_ptr<Arena> take(int64_t height, int64_t width) {
    for (auto& place : places_) {
      std::unique_ptr<Arena> arena(place.exchange(nullptr));
      if (arena && arena->height == height && arena->width == width) return arena;
    }
    return std::make_unique<Arena>(height, width);
  }
  void give(std::unique_ptr<Arena> arena) {
    for (auto& place : places_) {
      Arena* empty = nullptr;
      if (place.compare_exchange_strong(empty, arena.get())) {
        arena.release();
        return;
      }
    }
  }

 private:
  std::array<std::atomic<Arena*>, 8> places_{};
};

constexpr int64_t kBlockWork = 1 << 19;  // products in a block of rows: about 10 microseconds

int64_t grain(int64_t products_per_row) { return std::max<int64_t>(1, kBlockWork / products_per_row); }

// One run, from layer to layer.
class Forward {
 public:
  Forward(const std::vector<Layer>& layers, Arena& arena, const Network::Trace& trace)
      : next_(layers.data()), arena_(arena), trace_(trace) {}

  void run(ImageView<const int16_t> planes, ImageView<float> logits) {
    Arena& t = arena_;
    stem(planes, t.stem);
    conv(t.stem, t.b), block(t.b);
    conv(t.b, t.c), block(t.c), block(t.c);
    conv(t.c, t.d), block(t.d), block(t.d);
    pool(t.d, t.e), block(t.e), block(t.e);
    up_add(t.e, t.d), block(t.d);
    conv(t.d, t.linear_d), up_add(t.linear_d, t.c), block(t.c);
    conv(t.c, t.linear_c), up_add(t.linear_c, t.b), block(t.b), block(t.b);
    last(t.b, logits);
  }

 private:
  const NetworkKernels& kernels_ = kernels().network;
  const Layer* next_;
  Arena& arena_;
  const Network::Trace& trace_;

  static NetworkRow row_of(const Layer& layer) {
    NetworkRow row = {};
    row.segments = static_cast<size_t>(layer.shape.kernel);
    row.pairs = static_cast<size_t>(layer.shape.kernel * layer.shape.in / 2);
    if (layer.shape.dilation > 1) {
      row.segments *= layer.shape.kernel;
      row.pairs /= layer.shape.kernel;
    }
    row.step = size_t{layer.shape.stride} * layer.shape.in;
    row.weights = layer.weights.get();
    row.scale = layer.scale.data();
    row.bias = layer.bias.data();
    row.channels = layer.shape.out;
    return row;
  }

  // The segments of row y of the output.
  void point(NetworkRow& row, const Layer& layer, const Tensor& in, int64_t y) const {
    const int64_t kernel = layer.shape.kernel, dilation = layer.shape.dilation, reach = kernel / 2 * dilation;
    const int64_t across = static_cast<int64_t>(row.segments) / kernel;
    for (int64_t i = 0; i < kernel; ++i) {
      const int64_t from = y * layer.shape.stride - reach + i * dilation;
      const int16_t* const pixels = from < 0 || from >= in.height ? arena_.zeros : in.row(from);
      for (int64_t j = 0; j < across; ++j) row.segment[i * across + j] = pixels + (j * dilation - reach) * in.channels;
    }
  }

  template <class Row>
  void rows(const Tensor& out, int64_t products_per_pixel, Row row) const {
    parallel_for(out.height, grain(out.width * products_per_pixel), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) {
        row(y);
        out.clear_margins(y);
      }
    });
    if (trace_) trace_(out.view());
  }

  void stem(const ImageView<const int16_t>& planes, const Tensor& out) {
    constexpr auto pixel = static_cast<ptrdiff_t>(Network::kPlanes);
    const Layer& layer = *next_++;
    rows(out, layer.taps() * layer.shape.out, [&](int64_t y) {
      NetworkRow row = row_of(layer);
      int16_t edge[3][3 * pixel] = {};  // the first window begins outside the picture
      const int16_t* from[3];
      for (int64_t i = 0; i < 3; ++i) {
        from[i] = 2 * y + i == 0 ? arena_.zeros : planes.row(2 * y + i - 1);
        std::copy_n(from[i], 2 * pixel, edge[i] + pixel);
        row.segment[i] = edge[i];
      }
      row.n = 1;
      kernels_.conv(&row, {0, 4095}, nullptr, 0, out.row(y));
      for (int64_t i = 0; i < 3; ++i) row.segment[i] = from[i] + pixel;
      row.n = static_cast<size_t>(out.width - 1);
      kernels_.conv(&row, {0, 4095}, nullptr, 0, out.row(y) + out.channels);
    });
  }

  void conv(const Tensor& in, const Tensor& out) {
    const Layer& layer = *next_++;
    const NetworkRange range =
        layer.shape.kind == linear ? NetworkRange{-32767.0f, 32767.0f} : NetworkRange{0.0f, 4095.0f};
    rows(out, layer.taps() * layer.shape.out, [&](int64_t y) {
      NetworkRow row = row_of(layer);
      point(row, layer, in, y);
      row.n = static_cast<size_t>(out.width);
      kernels_.conv(&row, range, layer.shape.kind == block_end ? out.row(y) : nullptr, layer.a, out.row(y));
    });
  }

  // In place.
  void block(const Tensor& x) {
    const Tensor first = Tensor::at(arena_.first, x.height, x.width, x.channels / 2);
    const Tensor second = Tensor::at(arena_.second, x.height, x.width, x.channels / 2);
    conv(x, first);
    conv(first, second);
    conv(second, x);
  }

  void pool(const Tensor& in, const Tensor& out) const {
    rows(out, 4 * out.channels, [&](int64_t y) {
      kernels_.pool(in.row(2 * y), in.row(2 * y + 1), static_cast<size_t>(out.channels), static_cast<size_t>(out.width),
                    out.row(y));
    });
  }

  void up_add(const Tensor& coarse, const Tensor& fine) {
    const Layer& layer = *next_++;
    rows(fine, 16 * fine.channels, [&](int64_t y) {
      const int64_t beside = std::clamp<int64_t>(y / 2 + (y % 2 == 0 ? -1 : 1), 0, coarse.height - 1);
      kernels_.up_add(coarse.row(y / 2), coarse.row(beside), static_cast<size_t>(fine.channels),
                      static_cast<size_t>(coarse.width), layer.a, layer.b, fine.row(y));
    });
  }

  void last(const Tensor& in, const ImageView<float>& logits) {
    const Layer& layer = *next_++;
    parallel_for(in.height, grain(in.width * layer.taps() * layer.shape.out), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) {
        NetworkRow row = row_of(layer);
        point(row, layer, in, y);
        row.n = static_cast<size_t>(in.width);
        kernels_.logits(&row, logits.row(2 * y), logits.row(2 * y + 1));
      }
    });
  }
};

void check_sizes(const ImageView<const int16_t>& planes, const ImageView<float>& logits) {
  const int64_t height = planes.height, width = planes.width;
  if (planes.channels != Network::kPlanes || planes.empty() || height % Network::kMultiple != 0 ||
      width % Network::kMultiple != 0)
    throw std::invalid_argument("planes must have 10 channels and sides that are multiples of 32, got " +
                                std::to_string(height) + " x " + std::to_string(width) + " x " +
                                std::to_string(planes.channels));
  if (logits.height != height / 2 || logits.width != width / 2 || logits.channels != 1)
    throw std::invalid_argument("logits must have one channel and half the size of planes");
}

}  // namespace

struct Network::Model {
  std::vector<Layer> layers;
  mutable Arenas arenas;
};

Network::Network(std::span<const std::byte> file) {
  auto model = std::make_unique<Model>();
  model->layers = read_layers(file);
  model_ = std::move(model);
}

Network::~Network() = default;

void Network::run(ImageView<const int16_t> planes, ImageView<float> logits, const Trace& trace) const {
  check_sizes(planes, logits);
  auto arena = model_->arenas.take(planes.height, planes.width);
  Forward(model_->layers, *arena, trace).run(planes, logits);
  model_->arenas.give(std::move(arena));
}

}  // namespace alphacut
