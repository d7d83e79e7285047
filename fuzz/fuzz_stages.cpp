// Every stage of the public headers on small pictures of odd sizes, strides and parameters. Refused are only
// std::invalid_argument's; and each instruction set and thread count must give the same bytes.
#include "fuzz.hpp"

using namespace alphacut;
using fuzz::Input;

namespace {

using u8 = uint8_t;
using f32 = float;

// What a stage gave, to be compared with what it gives elsewhere.
class Output {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void value(const T& each) {
    const auto* from = reinterpret_cast<const u8*>(&each);
    bytes.insert(bytes.end(), from, from + sizeof each);
  }
  template <class T>
  void values(const std::vector<T>& each) {
    for (const T& one : each) value(one);
  }
  template <class T>
  void image(const Image<T>& each) {
    const auto* from = reinterpret_cast<const u8*>(each.data());
    bytes.insert(bytes.end(), from, from + static_cast<size_t>(each.pixels() * each.view().channels) * sizeof(T));
  }
  std::vector<u8> bytes;
};

struct Size {
  int64_t height, width, channels;
};

Size size_of(Input& in) {
  const int64_t height = in.side(), width = in.side();
  return {height, width,
          in.one_of({int64_t{3}, int64_t{1}, int64_t{3}, int64_t{1}, int64_t{3}, int64_t{1}, int64_t{4}})};
}

// The same picture upside down, where the input says so.
template <class T>
ImageView<const T> seen(Input& in, const Image<T>& image) {
  ImageView<const T> view = image.view();
  if (!in.flag() || view.empty()) return view;
  view.data = view.row(view.height - 1);
  view.stride = -view.stride;
  return view;
}

// Sometimes of another size than it should be.
template <class T>
Image<T> result(Input& in, const Size& size, int64_t channels = 1) {
  const bool wrong = in.byte() == 255;
  Image<T> made(size.height + (wrong ? in.between(0, 2) : 0), size.width + (wrong ? in.between(0, 2) : 0), channels);
  std::fill_n(made.data(), made.pixels() * channels, T{0});
  return made;
}

template <class T>
Image<T> picture(Input& in, const Size& size) {
  return in.image<T>(size.height, size.width, size.channels);
}
template <class T>
Image<T> plane(Input& in, const Size& size, int most = 255) {
  return in.image<T>(size.height, size.width, 1, most);
}

std::optional<Box> box_of(Input& in, const Size& size) {
  if (in.flag()) return std::nullopt;
  Box box;
  box.x = in.whole(0, size.width), box.y = in.whole(0, size.height);
  box.width = in.whole(1, size.width + 1), box.height = in.whole(1, size.height + 1);
  return box;
}

KeyColor key_of(Input& in) {
  KeyColor key;
  for (auto* each : {&key.color, &key.across, &key.down})
    for (double& value : *each) value = in.real(each == &key.color ? 0 : -1, 1);
  return key;
}

template <class T>
void color(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  Image<T> gray = result<T>(in, size);
  Image<f32> lab = result<f32>(in, size, 3);
  if (in.flag())
    to_gray(seen(in, image), gray), out.image(gray);
  else
    to_lab(seen(in, image), lab), out.image(lab);
}

template <class T>
void prepare(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  Image<T> made = result<T>(in, size, size.channels);
  switch (in.byte() % 4) {
    case 0:
      median(seen(in, image), static_cast<int>(in.whole(3, 5)), made);
      break;
    case 1:
      bilateral(seen(in, image), static_cast<int>(in.whole(3, 5)), in.real(0, 4), made);
      break;
    case 2:
      gray_world(seen(in, image), made);
      break;
    default:
      percentile_stretch(seen(in, image), in.real(0, 50), made);
  }
  out.image(made);
}

template <class T>
void reconstruction(Input& in, Output& out) {
  const Size size = size_of(in);
  Image<T> seed = picture<T>(in, size), mask = picture<T>(in, size);
  const bool erosion = in.flag();
  if (in.flag())
    for (int64_t i = 0; i < mask.pixels() * mask.view().channels; ++i)
      seed.data()[i] = erosion ? std::max(seed.data()[i], mask.data()[i]) : std::min(seed.data()[i], mask.data()[i]);
  Image<T> made = result<T>(in, size, size.channels);
  const auto method = erosion ? Reconstruction::erosion : Reconstruction::dilation;
  reconstruct<T>(seed, mask, method, in.flag() ? 8 : 4, made);
  out.image(made);
}

template <class T>
void neighbours(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  Image<T> made = result<T>(in, size, size.channels);
  const ImageView<const T> view = seen(in, image);
  if (in.flag()) {
    const int64_t most = in.flag() ? 9 : 120;  // far discs go another way
    Neighbourhood reach{in.whole(0, most), in.whole(0, most), in.flag()};
    if (reach.disc) reach.across = reach.down;
    for (int64_t rows = in.byte() % 4; rows > 0; --rows) {
      const int64_t row = in.whole(-9, 9);
      int64_t first = in.whole(-9, 9), last = in.whole(-9, 9);
      if (first > last && in.byte() > 10) std::swap(first, last);
      reach.runs.push_back({row, first, last});
    }
    const auto operation = static_cast<MorphologyOperation>(in.byte() % 7);
    std::optional<Beyond> beyond;
    if (in.flag()) beyond = Beyond{static_cast<Border>(in.byte() % 5), 3};
    morphology<T>(view, operation, reach, made, beyond);
  } else {
    const GaussianBlur blur{in.real(0, 5), in.real(0, 5), in.real(0, 5), static_cast<Border>(in.byte() % 5)};
    if (std::max(blur.sigma_down, blur.sigma_across) * blur.truncate > 1000) return;  // takes as long as it is told to
    const double amount = in.real(0, 3);
    in.flag() ? gaussian_blur(view, blur, made) : unsharp_mask(view, blur, amount, made);
  }
  out.image(made);
}

template <class T>
void resize(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  Image<T> made = result<T>(in, {in.side(), in.side(), 1}, size.channels);
  in.flag() ? resize_area(seen(in, image), made) : resize_bilinear(seen(in, image), made);
  out.image(made);
}

template <class T>
void thresholds(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  const Image<u8> where = plane<u8>(in, size);
  Image<u8> mask = result<u8>(in, size);
  const ImageView<const T> view = seen(in, image);
  switch (in.byte() % 4) {
    case 0: {
      if constexpr (std::is_same_v<T, u8>)
        threshold(view, static_cast<int>(in.whole(-1, 256)), mask);
      else
        threshold(view, static_cast<f32>(in.real(0, 1)), mask);
      break;
    }
    case 1: {
      const Histogram counts = histogram(view, in.flag() ? seen(in, where) : ImageView<const u8>{});
      out.value(counts), out.value(otsu_limit(counts)), out.value(triangle_limit(counts)), out.value(li_limit(counts));
      out.values(multi_otsu_limits(counts, static_cast<int>(in.whole(2, 6))));
      break;
    }
    case 2:
      out.value(threshold(view, in.one_of({otsu_limit, triangle_limit, li_limit}), mask));
      break;
    default: {
      const int64_t window = in.whole(3, 99);
      const auto method = in.one_of({AdaptiveMethod::mean, AdaptiveMethod::gaussian, AdaptiveMethod::sauvola});
      adaptive_threshold(view, window, method, in.real(-1, 1) * (sizeof(T) == 1 ? 255 : 1), in.real(0, 1), mask);
    }
  }
  out.image(mask);
}

void components(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<u8> image = plane<u8>(in, size, in.flag() ? 1 : 255);
  const ImageView<const u8> mask = seen(in, image);
  Image<u8> made = result<u8>(in, size);
  const int connectivity = in.one_of({4, 8, 4, 8, 4, 8, 0, 6});
  switch (in.byte() % 6) {
    case 0: {
      Image<int32_t> labels = result<int32_t>(in, size);
      out.value(label_components(mask, connectivity, labels)), out.image(labels);
      break;
    }
    case 1:
      for (const ComponentStats& each : component_stats(mask, connectivity)) out.value(each);
      break;
    case 2:
      keep_largest(mask, in.whole(1, 5), connectivity, made);
      break;
    case 3:
      remove_small(mask, in.whole(0, 50), connectivity, made);
      break;
    case 4:
      fill_holes(mask, in.whole(0, 50), connectivity, made);
      break;
    default:
      for (const Polygon& each : mask_to_polygons(mask, connectivity, in.one_of({0, 0, 1, 3}))) {
        out.values(each.exterior);
        for (const Ring& hole : each.holes) out.values(hole);
      }
  }
  out.image(made);
}

template <class T>
void kmeans_of(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  Image<u8> labels = result<u8>(in, size);
  KmeansOptions options;
  options.n_clusters = in.whole(1, 12), options.seed = in.byte(), options.max_iter = in.whole(1, 4);
  options.tol = in.whole(0, 99);
  if (in.flag() && options.n_clusters > 0 && options.n_clusters < 300)
    for (int64_t i = 0; i < options.n_clusters * size.channels; ++i)
      options.init.push_back(static_cast<int32_t>(in.whole(0, 16320)));
  if (options.max_iter > 20) options.max_iter = 20;  // takes as long as it is told to
  const Kmeans found = kmeans(seen(in, image), options, labels);
  out.values(found.centers), out.value(found.inertia), out.value(found.n_iter), out.image(labels);
}

Image<int32_t> capacities(Input& in, const Size& size) {
  Image<int32_t> made(size.height, size.width);
  const Image<u8> values = plane<u8>(in, size);
  const int32_t scale = in.one_of({1, 1, 1000, kMaxCapacity / 255});
  for (int64_t i = 0; i < made.pixels(); ++i) made.data()[i] = scale * values.data()[i];
  if (in.byte() == 255 && made.pixels() > 0) made.data()[0] = in.raw<int32_t>();
  return made;
}

void graph(Input& in, Output& out) {
  Size size = size_of(in);
  const Image<int32_t> source = capacities(in, size), sink = capacities(in, size);
  const Image<int32_t> edges[] = {capacities(in, size), capacities(in, size), capacities(in, size),
                                  capacities(in, size)};
  const Neighbours neighbours = {edges[0].view(), edges[1].view(), edges[2].view(), edges[3].view()};
  Image<u8> mask = result<u8>(in, size);
  const int64_t flow = graph_cut(source, sink, neighbours, mask, true);
  REQUIRE(flow == cut_capacity(source, sink, neighbours, mask));
  out.value(flow), out.image(mask);
  const Neighbours reverse = {edges[1].view(), edges[2].view(), {}, edges[0].view()};
  const int64_t directed = graph_cut(source, sink, neighbours, reverse, mask, true);
  REQUIRE(directed == cut_capacity(source, sink, neighbours, reverse, mask));
  out.value(directed), out.image(mask);
}

void expansion(Input& in, Output& out) {
  const Size size = size_of(in);
  std::vector<Image<int32_t>> planes;
  for (int64_t k = in.whole(1, 4); k > 0 && planes.size() < 8; --k) planes.push_back(capacities(in, size));
  std::vector<ImageView<const int32_t>> costs;
  for (const Image<int32_t>& one : planes) costs.push_back(one.view());
  const Image<int32_t> edges[] = {capacities(in, size), capacities(in, size)};
  std::vector<int32_t> smoothness(costs.size() * costs.size(), static_cast<int32_t>(in.whole(0, 9)));
  for (size_t k = 0; k < costs.size(); ++k) smoothness[k * costs.size() + k] = 0;
  Image<u8> labels = plane<u8>(in, size, static_cast<int>(costs.size()));
  const AlphaExpansion found = alpha_expansion(costs, {edges[0].view(), edges[1].view()}, smoothness, 3, labels, true);
  REQUIRE(found.energy == labelling_energy(costs, {edges[0].view(), edges[1].view()}, smoothness, labels));
  out.value(found.energy), out.value(found.n_iter), out.image(labels);
}

void superpixels(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<u8> image = picture<u8>(in, size);
  Image<int32_t> labels = result<int32_t>(in, size);
  const SlicOptions options{in.whole(1, 99), static_cast<double>(in.whole(1, 1000)), in.whole(1, 4)};
  if (options.max_iter > 20) return;
  out.value(slic(seen(in, image), options, labels)), out.image(labels);
}

void grabcut(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<u8> image = picture<u8>(in, size), first = plane<u8>(in, size, 3), second = plane<u8>(in, size, 4);
  const Image<f32> unary = in.image<f32>(in.side(), in.side());
  Image<u8> labels = result<u8>(in, size), again = result<u8>(in, size);
  GrabCutOptions options;
  options.max_iter = static_cast<int>(in.whole(1, 3)), options.n_components = static_cast<int>(in.whole(1, 5));
  if (options.max_iter > 20) options.max_iter = 20;
  options.seed = in.byte(), options.clean = in.flag(), options.exact = in.flag(), options.mask = in.flag();
  options.certify = true;
  const std::optional<Box> box = box_of(in, size);
  GrabCutter cutter(seen(in, image), in.real(0, 50));
  const auto cut = [&](const Image<u8>& hints, Image<u8>& to) {
    const GrabCutResult found = cutter.cut(in.flag() ? hints.view() : ImageView<const u8>{}, box,
                                           in.flag() ? unary.view() : ImageView<const f32>{}, options, to);
    out.value(found.energy), out.value(found.n_iter), out.value(found.exact), out.image(to);
  };
  cut(first, labels);
  options.resume = in.flag();
  cut(second, again);
}

template <class T>
void key(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size), given = plane<T>(in, size);
  const ImageView<const T> view = seen(in, image);
  const KeyColor colour = in.flag() ? key_of(in) : find_key(view);
  out.value(colour.color), out.value(colour.across), out.value(colour.down), out.value(saturation(colour));
  Image<T> alpha = result<T>(in, size), made = result<T>(in, size, size.channels);
  if (in.flag()) {
    chroma_key(view, colour, in.real(0, 2), in.real(0, 2), in.flag(), alpha), out.image(alpha);
  } else {
    despill(view, colour, in.flag() ? given.view() : ImageView<const T>{}, in.real(0, 1), made), out.image(made);
  }
}

template <class Guide, class Source>
void guided(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<Guide> guide = picture<Guide>(in, size);
  const Image<Source> source = plane<Source>(in, size);
  Image<f32> made = result<f32>(in, size);
  const int64_t radius = in.whole(1, 20);
  guided_filter(seen(in, guide), seen(in, source), radius, in.real(1e-6, 1), in.whole(1, 4), made);
  out.image(made);
}

void trimaps(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<u8> mask = plane<u8>(in, size);
  Image<f32> distance = result<f32>(in, size);
  Image<u8> trimap = result<u8>(in, size);
  if (in.flag())
    distance_transform(seen(in, mask), distance), out.image(distance);
  else
    make_trimap(seen(in, mask), in.real(0, 20), trimap), out.image(trimap);
  const TrimapKinds kinds = trimap_kinds(seen(in, mask));
  out.value(kinds.background), out.value(kinds.unknown), out.value(kinds.foreground);
}

template <class T>
void matte(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  Image<u8> trimap = plane<u8>(in, size);
  if (in.flag())  // more of what is known
    for (int64_t i = 0; i < trimap.pixels(); ++i)
      trimap.data()[i] = trimap.data()[i] < 100 ? 0 : trimap.data()[i] > 150 ? 255 : 128;
  Image<T> alpha = result<T>(in, size);
  refine_alpha<T>(seen(in, image), seen(in, trimap),
                  in.one_of({MattingMethod::guided, MattingMethod::sampled, MattingMethod::closed_form}), alpha);
  out.image(alpha);
}

template <class T>
void edge(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> alpha = plane<T>(in, size);
  Image<T> made = result<T>(in, size);
  adjust_edge<T>(seen(in, alpha), in.real(-6, 6), in.real(0, 6), made);
  out.image(made);
}

template <class T, class A>
void colours(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size);
  const Image<A> alpha = plane<A>(in, size);
  Image<T> made = result<T>(in, size, size.channels);
  estimate_foreground<T, A>(seen(in, image), seen(in, alpha), made);
  out.image(made);
}

template <class T>
void compose(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<T> image = picture<T>(in, size), alpha = plane<T>(in, size), behind = picture<T>(in, size);
  Image<T> rgba = result<T>(in, size, 4), rgb = result<T>(in, size, 3), like = result<T>(in, size, size.channels);
  switch (in.byte() % 5) {
    case 0:
      to_rgba(seen(in, image), seen(in, alpha), rgba), out.image(rgba);
      break;
    case 1: {
      ImageView<const T> background = seen(in, behind);
      if (in.flag()) background.stride = 0;
      composite(seen(in, image), seen(in, alpha), background, in.flag(), rgb), out.image(rgb);
      break;
    }
    case 2: {
      const Image<T> four = in.image<T>(size.height, size.width, 4);
      in.flag() ? premultiply(seen(in, four), rgba) : unpremultiply(seen(in, four), rgba);
      out.image(rgba);
      break;
    }
    case 3:
      blurred_background(seen(in, image), seen(in, alpha), in.real(0, 12), like), out.image(like);
      break;
    default: {
      Image<f32> light = result<f32>(in, size, size.channels);
      decode_srgb(seen(in, image), light), out.image(light);
      Image<f32> back = result<f32>(in, size, size.channels);
      encode_srgb(light, back), out.image(back);
      Image<u8> squares = result<u8>(in, size, size.channels);
      checkerboard(in.whole(1, 9), squares), out.image(squares);
    }
  }
}

void subject(Input& in, Output& out) {
  const Size size = size_of(in);
  const Image<f32> image = picture<f32>(in, size), channel = plane<f32>(in, size);
  const Image<u8> bytes = picture<u8>(in, size), seeds = plane<u8>(in, size);
  Image<f32> made = result<f32>(in, size);
  const int passes = static_cast<int>(in.whole(1, 4));
  if (passes > 20) return;  // takes as long as it is told to
  switch (in.byte() % 5) {
    case 0:
      barrier_distance(seen(in, channel), seen(in, seeds), passes, made);
      break;
    case 1:
      barrier_map(seen(in, image), seen(in, seeds), passes, made);
      break;
    case 2:
      barrier_map(seen(in, bytes), seen(in, seeds), passes, made);
      break;
    case 3:
      detect_subject(seen(in, image), made);
      break;
    default:
      detect_subject(seen(in, bytes), made);
  }
  out.image(made);
}

using Stage = void (*)(Input&, Output&);
constexpr Stage kStages[] = {
    color<u8>,
    color<f32>,
    prepare<u8>,
    prepare<f32>,
    resize<u8>,
    resize<f32>,
    thresholds<u8>,
    thresholds<f32>,
    components,
    kmeans_of<u8>,
    kmeans_of<f32>,
    graph,
    grabcut,
    key<u8>,
    key<f32>,
    guided<u8, u8>,
    guided<f32, f32>,
    trimaps,
    matte<u8>,
    matte<f32>,
    edge<u8>,
    edge<f32>,
    colours<u8, u8>,
    colours<f32, f32>,
    compose<u8>,
    compose<f32>,
    subject,
    expansion,
    superpixels,
    neighbours<u8>,
    neighbours<f32>,
    reconstruction<u8>,
    reconstruction<f32>,
};

// The bytes, or why it was refused.
std::vector<u8> run(Stage stage, Input in) {
  Output out;
  try {
    stage(in, out);
  } catch (const std::invalid_argument& error) {
    for (const char c : std::string_view(error.what())) out.value(c);
  }
  return std::move(out.bytes);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> isas = available_isas();
  Input in({data, size});
  const Stage stage = kStages[in.byte() % std::size(kStages)];
  const uint8_t other = in.byte();
  set_isa(isas.back());
  set_num_threads(1);
  const std::vector<u8> expected = run(stage, in);
  set_isa(isas[other % isas.size()]);
  set_num_threads(1 + other / 16 % 4);
  REQUIRE(run(stage, in) == expected);
  return 0;
}
