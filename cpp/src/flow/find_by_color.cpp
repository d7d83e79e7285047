// The subject by its colours alone: clusters, or a threshold.
#include <algorithm>
#include <array>

#include "alphacut/kmeans.hpp"
#include "alphacut/threshold.hpp"
#include "cleaning.hpp"
#include "flow/flow.hpp"
#include "flow/pieces.hpp"

namespace alphacut {
namespace {

constexpr int64_t kClusters = 8;

}  // namespace

// The subject is the clusters twice as common inside as at the border, or outside the box.
template <class T>
Found<T> FlowOf<T>::by_kmeans(const CheckedPrompt& prompt, Call& call) {
  Found<T> found;
  found.method = "kmeans";
  {
    const auto running = call.clock("segment");
    const auto cluster = [&](bool shrunk, const KmeansOptions& options, ImageView<uint8_t> labels) {
      if (call.elsewhere.kmeans) {
        std::optional<AnyView> picture;
        if (shrunk) picture = small();
        if (std::optional<Kmeans> done = call.elsewhere.kmeans(picture, options, labels)) return std::move(*done);
      }
      return kmeans(shrunk ? small() : working_, options, labels);
    };
    KmeansOptions options;
    options.n_clusters = kClusters;
    options.seed = static_cast<uint64_t>(options_.seed);
    Image<uint8_t> labels = Image<uint8_t>::like(small());
    options.init = cluster(true, options, labels).centers;
    options.max_iter = 1;
    const Image<uint8_t> outside =
        surely_outside(prompt.box, working_.height, working_.width, labels.height(), labels.width());
    std::array<std::array<int64_t, kClusters>, 2> counts{};
    std::array<int64_t, 2> all{};
    for (int64_t i = 0; i < labels.pixels(); ++i) {
      const size_t side = outside.data()[i] != 0 ? 0 : 1;
      ++counts[side][labels.data()[i]];
      ++all[side];
    }
    std::array<uint8_t, kClusters> subject{};
    for (size_t k = 0; k < subject.size(); ++k)
      subject[k] = counts[1][k] * all[0] > 2 * counts[0][k] * all[1] ? 255 : 0;
    found.hint = Image<uint8_t>::like(working_);
    cluster(false, options, found.hint);
    for (int64_t i = 0; i < found.hint.pixels(); ++i) found.hint.data()[i] = subject[found.hint.data()[i]];
  }
  finish_by_color(prompt, call, found);
  return found;
}

// Otsu's threshold; the side that is commoner at the border, or outside the box, is background.
template <class T>
Found<T> FlowOf<T>::by_threshold(const CheckedPrompt& prompt, Call& call) {
  Found<T> found;
  found.method = "threshold";
  {
    const auto running = call.clock("segment");
    found.hint = Image<uint8_t>::like(working_);
    threshold(working_, otsu_limit, found.hint);
    const Image<uint8_t> outside =
        surely_outside(prompt.box, working_.height, working_.width, working_.height, working_.width);
    int64_t above = 0, all = 0;
    for (int64_t i = 0; i < outside.pixels(); ++i) {
      all += outside.data()[i] != 0;
      above += outside.data()[i] != 0 && found.hint.data()[i] != 0;
    }
    if (2 * above > all)
      for (int64_t i = 0; i < found.hint.pixels(); ++i) found.hint.data()[i] ^= 255;
  }
  finish_by_color(prompt, call, found);
  return found;
}

// What both end with: nothing outside the box, clean, and judged.
template <class T>
void FlowOf<T>::finish_by_color(const CheckedPrompt& prompt, Call& call, Found<T>& found) {
  if (prompt.box) {
    const Image<uint8_t> outside =
        outside_of(prompt.box, working_.height, working_.width, working_.height, working_.width);
    for (int64_t i = 0; i < outside.pixels(); ++i)
      if (outside.data()[i] != 0) found.hint.data()[i] = 0;
  }
  {
    const auto running = call.clock("clean");
    if (options_.clean) clean_mask(found.hint).tell(found.warnings);
  }
  found.confidence = color_separation(small_bytes(), nearest(found.hint, small().height, small().width));
  if (is_empty(found.hint)) found.warnings.emplace_back("no subject was found: the mask is empty");
}

template Found<uint8_t> FlowOf<uint8_t>::by_kmeans(const CheckedPrompt&, Call&);
template Found<float> FlowOf<float>::by_kmeans(const CheckedPrompt&, Call&);
template Found<uint8_t> FlowOf<uint8_t>::by_threshold(const CheckedPrompt&, Call&);
template Found<float> FlowOf<float>::by_threshold(const CheckedPrompt&, Call&);
template void FlowOf<uint8_t>::finish_by_color(const CheckedPrompt&, Call&, Found<uint8_t>&);
template void FlowOf<float>::finish_by_color(const CheckedPrompt&, Call&, Found<float>&);

}  // namespace alphacut
