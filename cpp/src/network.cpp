#include "alphacut/network.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "network_file.hpp"
#include "network_trace.hpp"

namespace alphacut {
namespace {

// Rows of pixels with two pixels of zeros to the left and to the right; a row shares them with the next.
struct Tensor {
  int16_t* data = nullptr;  // the first pixel
  int64_t height = 0, width = 0, channels = 0;

  static constexpr int64_t kMargin = kNetworkMargin;
  static Tensor of(const NetworkShape& shape, int64_t height, int64_t width) {
    return {nullptr, height >> shape.shrink, width >> shape.shrink, shape.channels};
  }
  Tensor with_rows(int64_t rows) const { return {nullptr, rows, width, channels}; }
  Tensor at(int16_t* memory) const { return {memory + kMargin * channels, height, width, channels}; }

  int64_t size() const {
    const int64_t values = (height * (width + kMargin) + kMargin) * channels;
    return (values + 31) / 32 * 32;  // whole lines of the cache
  }
  int64_t values() const { return height * width * channels; }
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

// Gives slots in one piece of memory to what lives from one operation to another.
class Planner {
 public:
  // In the order of `first`.
  int64_t slot_for(int64_t size, size_t first, size_t last) {
    std::erase_if(taken_, [&](const Taken& other) { return other.last < first; });
    int64_t begin = 0;
    auto next = taken_.begin();
    for (; next != taken_.end() && begin + size > next->begin; ++next) begin = std::max(begin, next->end);
    taken_.insert(next, {begin, begin + size, last});
    peak_ = std::max(peak_, begin + size);
    return begin;
  }
  int64_t peak() const { return peak_; }

 private:
  struct Taken {
    int64_t begin, end;
    size_t last;
  };
  std::vector<Taken> taken_;  // by their begin
  int64_t peak_ = 0;
};

constexpr int64_t kLarge = 3 << 16;      // values of a tensor that does not stay near
constexpr int64_t kFusedRows = 16;       // of an inverted residual that are made at a time
constexpr int64_t kBlockWork = 1 << 19;  // products in a block of rows: about 10 microseconds

int64_t grain(int64_t products) { return std::max<int64_t>(1, kBlockWork / std::max<int64_t>(products, 1)); }

bool is_pointwise(const NetworkOp& op) { return op.kind == NetworkOp::conv && op.kernel == 1 && op.stride == 1; }

// Whether three operations from `at` on (wide, depthwise, narrow) may be made row by row, what lies between them never
// being whole: nothing else uses it, and it is large.
bool can_fuse(const NetworkPart& part, size_t at, int64_t height, int64_t width) {
  if (at + 2 >= part.ops.size()) return false;
  const NetworkOp *wide = &part.ops[at], *deep = wide + 1, *narrow = wide + 2;
  const size_t inner = part.inputs + at;
  if (!is_pointwise(*wide) || wide->inputs.size() != 1 || deep->kind != NetworkOp::depthwise || deep->dilation != 1 ||
      !is_pointwise(*narrow))
    return false;
  if (deep->inputs[0] != inner || narrow->inputs[0] != inner + 1) return false;
  for (size_t i = at; i < part.ops.size(); ++i)
    for (size_t k = 0; k < part.ops[i].inputs.size(); ++k) {
      const size_t used = part.ops[i].inputs[k];
      if ((used == inner && i != at + 1) || (used == inner + 1 && (i != at + 2 || k != 0))) return false;
    }
  for (const size_t output : part.outputs)
    if (output == inner || output == inner + 1) return false;
  return Tensor::of(part.tensors[inner], height, width).values() >= kLarge;
}

}  // namespace

// The memory of one run of a part, or that of its outputs.
struct NetworkArena {
  int64_t height, width;  // of the picture
  NetworkValues memory;
  const int16_t* zeros = nullptr;  // a row outside the picture
  std::vector<Tensor> tensors;
  std::vector<int16_t*> scratch;  // of each operation that is fused with the two that follow; else null

  // For a run; what lies elsewhere gets no slot.
  NetworkArena(const NetworkPart& part, const std::vector<size_t>& elsewhere, int64_t rows, int64_t columns, bool fuse)
      : height(rows), width(columns), scratch(part.ops.size()) {
    for (const NetworkShape& shape : part.tensors) tensors.push_back(Tensor::of(shape, rows, columns));
    const std::vector<size_t> last = last_uses(part);
    Planner planner;
    std::vector<int64_t> slot(tensors.size(), -1), scratch_slot(part.ops.size(), -1);
    const auto give = [&](size_t tensor, size_t now) {
      if (std::find(elsewhere.begin(), elsewhere.end(), tensor) == elsewhere.end())
        slot[tensor] = planner.slot_for(tensors[tensor].size(), now, last[tensor]);
    };
    for (size_t i = 0; i < part.inputs; ++i) give(i, 0);
    for (size_t i = 0; i < part.ops.size(); ++i) {
      if (fuse && can_fuse(part, i, rows, columns)) {
        const size_t inner = part.inputs + i;
        const int64_t blocks = (tensors[inner + 1].height + kFusedRows - 1) / kFusedRows;
        scratch_slot[i] = planner.slot_for(blocks * scratch_size(part, i), i, i);
        give(inner + 2, i);
        i += 2;
      } else if (part.inputs + i < tensors.size()) {
        give(part.inputs + i, i);
      }
    }
    int64_t row = 0;  // windows reach from a margin before a row to one behind it
    for (const Tensor& tensor : tensors) row = std::max(row, tensor.pitch() + Tensor::kMargin * tensor.channels);
    row = (row + 31) / 32 * 32;
    memory = make_network_values(row + planner.peak());
    for (size_t i = 0; i < tensors.size(); ++i)
      if (slot[i] >= 0) tensors[i] = tensors[i].at(memory.get() + row + slot[i]);
    for (size_t i = 0; i < scratch.size(); ++i)
      if (scratch_slot[i] >= 0) scratch[i] = memory.get() + row + scratch_slot[i];
    zeros = memory.get();
  }

  // For the outputs.
  NetworkArena(const NetworkPart& part, int64_t rows, int64_t columns) : height(rows), width(columns) {
    int64_t size = 0;
    for (const size_t output : part.outputs) {
      tensors.push_back(Tensor::of(part.tensors[output], rows, columns));
      size += tensors.back().size();
    }
    memory = make_network_values(size);
    int16_t* next = memory.get();
    for (Tensor& tensor : tensors) {
      const int64_t values = tensor.size();
      tensor = tensor.at(next);
      next += values;
    }
  }

  // A ring of rows as the depthwise convolution needs them, and a row that it makes.
  int64_t scratch_size(const NetworkPart& part, size_t op) const {
    const size_t inner = part.inputs + op;
    return tensors[inner].with_rows(part.ops[op + 1].kernel).size() + tensors[inner + 1].with_rows(1).size();
  }

 private:
  static std::vector<size_t> last_uses(const NetworkPart& part) {
    std::vector<size_t> last(part.tensors.size(), 0);
    for (size_t i = 0; i < part.ops.size(); ++i) {
      if (part.inputs + i < last.size()) last[part.inputs + i] = i;
      for (const size_t tensor : part.ops[i].inputs) last[tensor] = i;
    }
    return last;
  }
};

namespace {

// Arenas that wait for the next run. Without a lock: a child of fork could find it held by a thread that it lacks.
class Arenas {
 public:
  ~Arenas() {
    for (auto& slot : slots_) delete slot.load();
  }
  // One of this size, or what `make` makes; any other that is met goes.
  template <class Make>
  std::unique_ptr<NetworkArena> take(int64_t height, int64_t width, Make make) {
    for (auto& slot : slots_) {
      std::unique_ptr<NetworkArena> arena(slot.exchange(nullptr));
      if (arena && arena->height == height && arena->width == width) return arena;
    }
    return make();
  }
  void give(std::unique_ptr<NetworkArena> arena) {
    for (auto& slot : slots_) {
      NetworkArena* empty = nullptr;
      if (slot.compare_exchange_strong(empty, arena.get())) {
        arena.release();
        return;
      }
    }
  }

 private:
  std::array<std::atomic<NetworkArena*>, 8> slots_{};
};

// One run of a part, operation by operation.
class Forward {
 public:
  Forward(const NetworkPart& part, const NetworkArena& arena, const NetworkTrace::Show& show)
      : part_(part), arena_(arena), show_(show) {}

  // Copies what is given into an input, clipped to what the file says of it.
  void give(size_t input, ImageView<const int16_t> values) const {
    const Tensor& to = arena_.tensors[input];
    const auto low = static_cast<int16_t>(part_.tensors[input].low),
               high = static_cast<int16_t>(part_.tensors[input].high);
    for (int64_t y = 0; y < to.height; ++y) {
      const int16_t* from = values.row(y);
      std::transform(from, from + to.width * to.channels, to.row(y),
                     [=](int16_t value) { return std::min(std::max(value, low), high); });
      to.clear_margins(y);
    }
  }

  void run(ImageView<float> log_odds) const {
    for (size_t i = 0; i < part_.ops.size(); ++i) {
      if (arena_.scratch[i] != nullptr) {
        fused(i);
        i += 2;
        continue;
      }
      one(i, log_odds);
      if (show_ && part_.ops[i].kind != NetworkOp::log_odds) show_(output(i).view());
    }
  }

 private:
  const NetworkKernels& kernels_ = kernels().network;
  const NetworkPart& part_;
  const NetworkArena& arena_;
  const NetworkTrace::Show& show_;

  const Tensor& input(size_t op, size_t k) const { return arena_.tensors[part_.ops[op].inputs[k]]; }
  const Tensor& output(size_t op) const { return arena_.tensors[part_.inputs + op]; }
  NetworkRange range(size_t op) const {
    const NetworkShape& shape = part_.tensors[part_.inputs + op];
    return {static_cast<float>(shape.low), static_cast<float>(shape.high)};
  }

  // The rows of a tensor, and zeros beyond.
  auto rows_of(const Tensor& tensor) const {
    const int16_t* const beyond = arena_.zeros + Tensor::kMargin * tensor.channels;
    return
        [&tensor, beyond](int64_t y) -> const int16_t* { return y < 0 || y >= tensor.height ? beyond : tensor.row(y); };
  }

  void one(size_t op, const ImageView<float>& log_odds) const {
    switch (part_.ops[op].kind) {
      case NetworkOp::conv:
        return conv(op);
      case NetworkOp::depthwise:
        return rows(op, [&](int64_t y) { depthwise_row(op, rows_of(input(op, 0)), y, output(op).row(y)); });
      case NetworkOp::add:
        return add(op);
      case NetworkOp::average:
        return average(op);
      case NetworkOp::concat:
        return concat(op);
      case NetworkOp::log_odds:
        return last(op, log_odds);
    }
  }

  // Makes each row of the output, whatever the order.
  template <class Row>
  void rows(size_t op, Row row) const {
    const Tensor& out = output(op);
    parallel_for(out.height, grain(out.width * part_.ops[op].products), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) {
        row(y);
        out.clear_margins(y);
      }
    });
  }

  // The channels of a group, in row y of the output.
  template <class RowOf>
  NetworkRow row_of(const NetworkOp& op, int64_t group, int64_t channels_in, RowOf row_at, int64_t y) const {
    NetworkRow row = {};
    const bool apart = op.dilation > 1;  // pixels of a window do not touch
    const int64_t kernel = op.kernel, across = apart ? kernel : 1;
    row.segments = static_cast<size_t>(kernel * across);
    row.pairs = static_cast<size_t>(kernel / across * channels_in / 2);
    row.step = static_cast<size_t>(op.stride * channels_in);
    for (int64_t i = 0; i < kernel; ++i) {
      const int16_t* const pixels = row_at(y * op.stride - op.before + i * op.dilation);
      for (int64_t j = 0; j < across; ++j)
        row.segment[i * across + j] = pixels + (j * op.dilation - op.before) * channels_in;
    }
    const int64_t first = group * static_cast<int64_t>(kNetworkLanes);
    row.weights = op.weights.get() + first * kernel * kernel * channels_in;
    row.scale = op.scale.data() + first;
    row.bias = op.bias.data() + first;
    return row;
  }

  // Some of the groups of 16 channels of row y.
  template <class RowOf>
  void conv_row(size_t at, RowOf row_at, int64_t y, int64_t group, int16_t* out_row) const {
    const NetworkOp& op = part_.ops[at];
    const Tensor& out = output(at);
    const int64_t first = group * static_cast<int64_t>(kNetworkLanes);
    NetworkRow row = row_of(op, group, input(at, 0).channels, row_at, y);
    row.lanes = static_cast<size_t>(std::min<int64_t>(kNetworkLanes, out.channels - first));
    row.channels = static_cast<size_t>(out.channels);
    row.n = static_cast<size_t>(out.width);
    const bool skips = op.inputs.size() > 1;
    kernels_.conv(&row, range(at), skips ? input(at, 1).row(y) + first : nullptr, skips ? op.factors[0] : 0,
                  out_row + first);
  }

  static int64_t groups_of(const Tensor& out) {
    const auto lanes = static_cast<int64_t>(kNetworkLanes);
    return (out.channels + lanes - 1) / lanes;
  }

  // Blocks divide the channels where the weights are more than the input, else the rows: what is less is read by all.
  void conv(size_t at) const {
    const Tensor &in = input(at, 0), &out = output(at);
    const int64_t groups = groups_of(out), products = part_.ops[at].products;
    const auto part = [&](int64_t first_group, int64_t last_group, int64_t top, int64_t bottom) {
      for (int64_t group = first_group; group < last_group; ++group)
        for (int64_t y = top; y < bottom; ++y) {
          conv_row(at, rows_of(in), y, group, out.row(y));
          if (group == 0) out.clear_margins(y);
        }
    };
    if (products > in.values())
      parallel_for(groups, grain(out.height * out.width * products / groups),
                   [&](int64_t begin, int64_t end) { part(begin, end, 0, out.height); });
    else
      parallel_for(out.height, grain(out.width * products),
                   [&](int64_t begin, int64_t end) { part(0, groups, begin, end); });
  }

  template <class RowOf>
  void depthwise_row(size_t at, RowOf row_at, int64_t y, int16_t* out_row) const {
    const NetworkOp& op = part_.ops[at];
    const int64_t channels = output(at).channels;
    NetworkWindow window = {};
    size_t tap = 0;
    for (int64_t i = 0; i < op.kernel; ++i) {
      const int16_t* const pixels = row_at(y * op.stride - op.before + i * op.dilation);
      for (int64_t j = 0; j < op.kernel; ++j) window.tap[tap++] = pixels + (j * op.dilation - op.before) * channels;
    }
    window.tap[tap] = window.tap[tap - 1];
    window.pairs = (tap + 1) / 2;
    window.step = static_cast<size_t>(op.stride * channels);
    window.weights = op.weights.get();
    window.scale = op.scale.data();
    window.bias = op.bias.data();
    window.channels = static_cast<size_t>(channels);
    window.n = static_cast<size_t>(output(at).width);
    kernels_.depthwise(&window, range(at), out_row);
  }

  // Wide, depthwise and narrow in one, by blocks of rows of the output. A block keeps as many wide rows as the
  // depthwise convolution needs for one row.
  void fused(size_t wide) const {
    const size_t deep = wide + 1, narrow = wide + 2;
    const NetworkOp& window = part_.ops[deep];
    const Tensor &in = input(wide, 0), &out = output(narrow);
    parallel_for(out.height, kFusedRows, [&](int64_t begin, int64_t end) {
      int16_t* const memory = arena_.scratch[wide] + begin / kFusedRows * arena_.scratch_size(part_, wide);
      const Tensor ring = output(wide).with_rows(window.kernel).at(memory);
      const Tensor line = output(deep).with_rows(1).at(memory + ring.size());
      for (int64_t k = 0; k < ring.height; ++k) ring.clear_margins(k);
      const auto ring_row = [&](int64_t y) -> const int16_t* {
        if (y < 0 || y >= in.height) return arena_.zeros + Tensor::kMargin * ring.channels;
        return ring.row(y % ring.height);
      };
      int64_t made = std::max<int64_t>(begin * window.stride - window.before, 0);
      for (int64_t y = begin; y < end; ++y) {
        const int64_t needed = std::min(y * window.stride - window.before + window.kernel, in.height);
        for (; made < needed; ++made)
          for (int64_t group = 0; group < groups_of(ring); ++group)
            conv_row(wide, rows_of(in), made, group, ring.row(made % ring.height));
        depthwise_row(deep, ring_row, y, line.row(0));
        for (int64_t group = 0; group < groups_of(out); ++group)
          conv_row(narrow, [&](int64_t) { return line.row(0); }, y, group, out.row(y));
        out.clear_margins(y);
      }
    });
  }

  void add(size_t at) const {
    const NetworkOp& op = part_.ops[at];
    const Tensor &fine = input(at, 0), &coarse = input(at, 1), &out = output(at);
    const auto channels = static_cast<size_t>(out.channels);
    const float a = op.factors[0], b = op.factors[1];
    rows(at, [&](int64_t y) {
      if (coarse.height == fine.height)
        return kernels_.add(fine.row(y), coarse.row(y), channels * static_cast<size_t>(out.width), a, b, range(at),
                            out.row(y));
      const int64_t beside = std::clamp<int64_t>(y / 2 + (y % 2 == 0 ? -1 : 1), 0, coarse.height - 1);
      kernels_.up_add(coarse.row(y / 2), coarse.row(beside), fine.row(y), channels, static_cast<size_t>(coarse.width),
                      a, b, range(at), out.row(y));
    });
  }

  void average(size_t at) const {
    const Tensor &in = input(at, 0), &out = output(at);
    rows(at, [&](int64_t y) {
      kernels_.pool(in.row(2 * y), in.row(2 * y + 1), static_cast<size_t>(out.channels), static_cast<size_t>(out.width),
                    out.row(y));
    });
  }

  void concat(size_t at) const {
    const NetworkOp& op = part_.ops[at];
    const Tensor& out = output(at);
    rows(at, [&](int64_t y) {
      int16_t* to = out.row(y);
      for (size_t k = 0; k < op.inputs.size(); ++k) {
        const Tensor& in = input(at, k);
        kernels_.rescale(in.row(y), static_cast<size_t>(in.channels), static_cast<size_t>(in.width), op.factors[k],
                         range(at), static_cast<size_t>(out.channels), to);
        to += in.channels;
      }
    });
  }

  void last(size_t at, const ImageView<float>& log_odds) const {
    const NetworkOp& op = part_.ops[at];
    const Tensor& in = input(at, 0);
    parallel_for(in.height, grain(in.width * op.products), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) {
        NetworkRow row = row_of(op, 0, in.channels, rows_of(in), y);
        row.n = static_cast<size_t>(in.width);
        kernels_.logits(&row, log_odds.row(2 * y), log_odds.row(2 * y + 1));
      }
    });
  }
};

std::string size_text(int64_t height, int64_t width, int64_t channels) {
  return std::to_string(height) + " x " + std::to_string(width) + " x " + std::to_string(channels);
}

template <class T>
std::string size_text(const ImageView<T>& view) {
  return size_text(view.height, view.width, view.channels);
}

}  // namespace

struct NetworkModel {
  NetworkProgram program;
  std::vector<size_t> features;  // their numbers in the prompt's part
  mutable Arenas picture, prompt, outputs;

  explicit NetworkModel(std::span<const std::byte> file) : program(read_network(file)) {
    for (size_t i = 0; i + 1 < program.prompt.inputs; ++i) features.push_back(i);
  }
  const NetworkShape& colours() const { return program.picture.tensors[0]; }
  const NetworkShape& planes() const { return program.prompt.tensors[program.prompt.inputs - 1]; }

  // With a trace, all tensors are made and no memory is kept.
  std::unique_ptr<NetworkArena> see(ImageView<const int16_t> in, const NetworkTrace::Show& show) const {
    const NetworkPart& part = program.picture;
    const int64_t height = in.height, width = in.width;
    auto kept = outputs.take(height, width, [&] { return std::make_unique<NetworkArena>(part, height, width); });
    const auto make = [&] { return std::make_unique<NetworkArena>(part, part.outputs, height, width, !show); };
    auto arena = show ? make() : picture.take(height, width, make);
    for (size_t i = 0; i < part.outputs.size(); ++i) arena->tensors[part.outputs[i]] = kept->tensors[i];
    const Forward forward(part, *arena, show);
    forward.give(0, in);
    forward.run({});
    if (!show) picture.give(std::move(arena));
    return kept;
  }

  void ask(const NetworkArena& seen, ImageView<const int16_t> in, ImageView<float> log_odds,
           const NetworkTrace::Show& show) const {
    const NetworkPart& part = program.prompt;
    const int64_t height = seen.height, width = seen.width;
    const auto make = [&] { return std::make_unique<NetworkArena>(part, features, height, width, !show); };
    auto arena = show ? make() : prompt.take(height, width, make);
    std::copy(seen.tensors.begin(), seen.tensors.end(), arena->tensors.begin());
    const Forward forward(part, *arena, show);
    forward.give(part.inputs - 1, in);
    forward.run(log_odds);
    if (!show) prompt.give(std::move(arena));
  }
};

Network::Features::Features(std::shared_ptr<const NetworkModel> model, std::unique_ptr<NetworkArena> arena)
    : model_(std::move(model)), arena_(std::move(arena)) {}
Network::Features::Features(Features&&) noexcept = default;
Network::Features& Network::Features::operator=(Features&& other) noexcept {
  std::swap(model_, other.model_);
  std::swap(arena_, other.arena_);
  return *this;
}
Network::Features::~Features() {
  if (arena_) model_->outputs.give(std::move(arena_));
}
int64_t Network::Features::height() const { return arena_ ? arena_->height : 0; }
int64_t Network::Features::width() const { return arena_ ? arena_->width : 0; }

Network::Network(std::span<const std::byte> file) : model_(std::make_shared<const NetworkModel>(file)) {}
Network::~Network() = default;

Network::Features Network::see(ImageView<const int16_t> colours) const { return NetworkTrace::see(*this, colours, {}); }

void Network::ask(const Features& features, ImageView<const int16_t> planes, ImageView<float> log_odds) const {
  NetworkTrace::ask(*this, features, planes, log_odds, {});
}

int64_t Network::multiple() const { return model_->program.multiple; }
int64_t Network::colour_channels() const { return model_->colours().channels; }
int64_t Network::prompt_channels() const { return model_->planes().channels; }
int64_t Network::prompt_shrink() const { return int64_t{1} << model_->planes().shrink; }

Network::Features NetworkTrace::see(const Network& network, ImageView<const int16_t> colours, const Show& show) {
  const int64_t multiple = network.multiple(), channels = network.colour_channels();
  if (colours.channels != channels || colours.empty() || colours.height % multiple != 0 ||
      colours.width % multiple != 0 || std::max(colours.height, colours.width) > Network::kLongest)
    throw std::invalid_argument("colours must have " + std::to_string(channels) +
                                " channels and sides that are multiples of " + std::to_string(multiple) + ", at most " +
                                std::to_string(Network::kLongest) + ", got " + size_text(colours));
  return {network.model_, network.model_->see(colours, show)};
}

void NetworkTrace::ask(const Network& network, const Network::Features& features, ImageView<const int16_t> planes,
                       ImageView<float> log_odds, const Show& show) {
  if (features.model_ != network.model_ || !features.arena_)
    throw std::invalid_argument("features must be of this network");
  const int64_t height = features.height(), width = features.width(), shrink = network.prompt_shrink();
  if (planes.height != height / shrink || planes.width != width / shrink ||
      planes.channels != network.prompt_channels())
    throw std::invalid_argument("planes must be " +
                                size_text(height / shrink, width / shrink, network.prompt_channels()) + ", got " +
                                size_text(planes));
  if (log_odds.height != height || log_odds.width != width || log_odds.channels != 1)
    throw std::invalid_argument("log_odds must have one channel and the size of the picture");
  network.model_->ask(*features.arena_, planes, log_odds, show);
}

}  // namespace alphacut
