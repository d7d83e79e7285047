// Want of memory at each allocation in turn, through every stage: it is std::bad_alloc, nothing leaks, the pool's
// counts are right, and the next call gives the bytes that it gives without.
//   test_faults [steps]    at most so many allocations of each case, evenly spread
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "alphacut/alphacut.hpp"
#include "alphacut/parallel.hpp"
#include "check.hpp"
#include "made.hpp"

namespace {

// Of those asked for since `armed`; from the nth on, or the nth alone, there is no memory. What is handed out and not
// given back is counted always.
std::atomic<int64_t> asked{0}, nth{0}, alive{0};
std::atomic<bool> armed{false}, once{false};

void* take(std::size_t bytes, std::size_t alignment) {
  if (armed) {
    const int64_t number = ++asked;
    if (nth != 0 && (once ? number == nth : number >= nth)) throw std::bad_alloc();
  }
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + alignment);
  if (memory == nullptr) throw std::bad_alloc();
  ++alive;
  return memory;
}

void give(void* memory) {
  if (memory != nullptr) --alive;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { give(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give(memory); }
void operator delete(void* memory, std::size_t) noexcept { give(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give(memory); }

using namespace alphacut;

namespace {

constexpr int64_t kHeight = 150, kWidth = 180;
int64_t most_steps = kSanitized ? 4 : 12;

double from_centre(int64_t y, int64_t x) {
  return std::hypot(static_cast<double>(y - 70), static_cast<double>(x - 90));
}

using Bytes = std::vector<uint8_t>;

template <class T>
Bytes bytes_of(const Image<T>& image) {
  const auto* from = reinterpret_cast<const uint8_t*>(image.data());
  return {from, from + static_cast<size_t>(image.pixels() * image.view().channels) * sizeof(T)};
}
Bytes bytes_of(const Cutout& cutout) {
  Bytes all = bytes_of(cutout.mask);
  const Bytes alpha = std::visit([](const auto& image) { return bytes_of(image); }, cutout.alpha);
  all.insert(all.end(), alpha.begin(), alpha.end());
  return all;
}

// How `work` ended with memory for `before` allocations.
enum class End { whole, failed };
End run(const std::function<void()>& work, int64_t from, bool alone) {
  nth = from, once = alone, asked = 0, armed = true;
  try {
    work();
    armed = false;
    return End::whole;
  } catch (const std::bad_alloc&) {
    armed = false;
    return End::failed;
  }
}

// `work` is done again and again with less memory than it takes, and must always give the same afterwards.
void at_each_allocation(const char* name, const std::function<Bytes()>& work) {
  std::fprintf(stderr, "%s\n", name);  // where it ends, if it does not come to an end
  const Bytes expected = work();
  work();  // what is kept from call to call is there
  Bytes found;
  found.reserve(expected.size());
  CHECK(run([&] { found = work(); }, 0, false) == End::whole);
  const int64_t count = asked;
  CHECK(found == expected);
  int64_t failures = 0;
  for (int64_t from = 1; from <= count; from += 1 + count / most_steps)
    for (const bool alone : {false, true}) {
      const BufferPoolCounts before = buffer_pool_counts();
      failures += run([&] { work(); }, from, alone) == End::failed;
      const BufferPoolCounts after = buffer_pool_counts();
      const bool same = work() == expected;
      // What keeps something from call to call may have given it up, or hold it in a buffer of another size.
      const int64_t most = 2 * before.bytes_in_use;
      const bool counts =
          after.bytes_in_use <= most && after.bytes_kept >= 0 && buffer_pool_counts().bytes_in_use <= most;
      if (!counts || !same)
        std::fprintf(stderr, "%s: allocation %lld of %lld%s\n", name, static_cast<long long>(from),
                     static_cast<long long>(count), alone ? " alone" : "");
      CHECK(counts);
      CHECK(same);
    }
  CHECK(failures > 0 || count == 0);
  work();
  const int64_t before = alive;
  for (int64_t from = 1; from <= count; from += 1 + count / most_steps) run([&] { work(); }, from, false);
  work();
  CHECK(alive <= before + 8);  // the pool's buffers and a deque of the threads come and go
  std::printf("%s: %lld allocations, %lld failed calls\n", name, static_cast<long long>(count),
              static_cast<long long>(failures));
}

void stages() {
  const Image<uint8_t> image = made(kHeight, kWidth, 3, [](int64_t y, int64_t x, int64_t c) {
    return from_centre(y, x) < 45 ? 200 - 60 * c + (x * y) % 17 : 60 + x / 4 + (y * 7 + x * 3) % 19;
  });
  const Image<uint8_t> mask =
      made(kHeight, kWidth, 1, [](int64_t y, int64_t x, int64_t) { return from_centre(y, x) < 45 ? 255 : 0; });
  const Image<uint8_t> hints = made(kHeight, kWidth, 1, [](int64_t y, int64_t x, int64_t) {
    return y < 9 ? 0 : from_centre(y, x) < 9 ? 1 : 2;
  });
  Image<uint8_t> trimap(kHeight, kWidth);
  make_trimap(mask, 6, trimap);
  Image<uint8_t> plane(kHeight, kWidth), colours(kHeight, kWidth, 3);
  Image<float> map(kHeight, kWidth), lab(kHeight, kWidth, 3);
  const auto to_plane = [&](auto stage) {
    return [&, stage] {
      stage();
      return bytes_of(plane);
    };
  };
  const auto to_map = [&](auto stage) {
    return [&, stage] {
      stage();
      return bytes_of(map);
    };
  };
  const auto to_colours = [&](auto stage) {
    return [&, stage] {
      stage();
      return bytes_of(colours);
    };
  };
  at_each_allocation("median", to_colours([&] { median(image, 5, colours); }));
  at_each_allocation("bilateral", to_colours([&] { bilateral(image, 5, 0.1, colours); }));
  at_each_allocation("stretch", to_colours([&] { percentile_stretch(image, 2, colours); }));
  at_each_allocation("gaussian", to_colours([&] { gaussian_blur(image, {2, 2}, colours); }));
  at_each_allocation("gaussian of floats", to_colours([&] { gaussian_blur(image, {20, 20}, colours); }));
  for (const Neighbourhood& reach : {Neighbourhood{}, {9, 9, false}, {9, 9, true}})
    at_each_allocation("morphology",
                       to_colours([&] { morphology<uint8_t>(image, MorphologyOperation::tophat, reach, colours); }));
  at_each_allocation("reconstruct", [&] {
    Image<uint8_t> seed = Image<uint8_t>::like(trimap.view()), reached = Image<uint8_t>::like(trimap.view());
    std::fill_n(seed.data(), seed.pixels(), uint8_t{0});
    seed.data()[seed.pixels() / 2] = trimap.data()[seed.pixels() / 2];
    reconstruct<uint8_t>(seed, trimap, Reconstruction::dilation, 8, reached);
    return bytes_of(reached);
  });
  at_each_allocation("resize", [&] {
    Image<uint8_t> small(kHeight / 3, kWidth / 2, 3);
    resize_area(image, small);
    return bytes_of(small);
  });
  at_each_allocation("lab", [&] {
    to_lab(image, lab);
    return bytes_of(lab);
  });
  at_each_allocation("otsu", to_plane([&] { threshold(image, otsu_limit, plane); }));
  at_each_allocation("sauvola",
                     to_plane([&] { adaptive_threshold(image, 15, AdaptiveMethod::sauvola, 0, 0.2, plane); }));
  at_each_allocation("keep_largest", to_plane([&] { keep_largest(trimap, 2, 8, plane); }));
  at_each_allocation("fill_holes", to_plane([&] { fill_holes(trimap, 99, 4, plane); }));
  at_each_allocation("polygons", [&] {
    Bytes corners;
    for (const Polygon& polygon : mask_to_polygons(hints))
      for (const auto& corner : polygon.exterior)
        for (const int32_t value : corner) corners.push_back(static_cast<uint8_t>(value));
    return corners;
  });
  at_each_allocation("kmeans", to_plane([&] { kmeans(image, {.n_clusters = 6}, plane); }));
  at_each_allocation("grabcut", to_plane([&] { GrabCutter(image, 50).cut(hints, {}, {}, {}, plane); }));
  GrabCutter kept(image, 50);
  at_each_allocation("grabcut kept", to_plane([&] { kept.cut(hints, {}, {}, {}, plane); }));
  at_each_allocation("chroma_key", to_plane([&] { chroma_key(image, find_key(image), 0.1, 0.1, true, plane); }));
  at_each_allocation("despill", to_colours([&] { despill(image, find_key(image), mask, 1, colours); }));
  at_each_allocation("guided", to_map([&] { guided_filter<uint8_t, uint8_t>(image, mask, 6, 1e-3, 1, map); }));
  at_each_allocation("distance", to_map([&] { distance_transform(mask, map); }));
  at_each_allocation("make_trimap", to_plane([&] { make_trimap(mask, 5, plane); }));
  for (const auto method : {MattingMethod::guided, MattingMethod::sampled, MattingMethod::closed_form})
    at_each_allocation("refine", to_plane([&] { refine_alpha<uint8_t>(image, trimap, method, plane); }));
  at_each_allocation("edge", to_plane([&] { adjust_edge<uint8_t>(mask, 1.5, 2, plane); }));
  at_each_allocation("foreground", to_colours([&] { estimate_foreground<uint8_t, uint8_t>(image, trimap, colours); }));
  at_each_allocation("blur", to_colours([&] { blurred_background(image, mask, 5, colours); }));
  at_each_allocation("drop shadow", to_plane([&] { cast_shadow(mask, {ShadowKind::drop, 2, 3, 4, 0.5}, plane); }));
  at_each_allocation("contact", to_plane([&] { cast_shadow(mask, {ShadowKind::contact, 0, 0, 4, 0.5}, plane); }));
  at_each_allocation("composite", to_colours([&] { composite(image, mask, image, true, colours); }));
  at_each_allocation("subject", to_map([&] { detect_subject(image, map); }));
  at_each_allocation("network", to_map([&] { detect_subject(builtin_network(), image, {}, {}, map); }));

  Prompt box, labels;
  box.box = Box{30, 15, 120, 110};
  labels.labels = hints;
  for (const Prompt& prompt : {Prompt{}, box, labels}) {
    at_each_allocation("flow", [&] { return bytes_of(remove_background(image.view(), prompt)); });
    Session session{AnyView(image.view())};
    at_each_allocation("session", [&] { return bytes_of(session.cut(prompt)); });
  }
  Tracker tracker{SessionOptions{}};
  tracker.next(image.view(), ImageView<const uint8_t>{}, box);
  const std::vector<uint8_t> state = tracker.save();
  at_each_allocation("tracker", [&] {
    tracker.load(state);  // as it was, whatever became of it
    return bytes_of(tracker.next(image.view(), ImageView<const uint8_t>{}));
  });
}

// A frame that could not be followed for want of memory is as if it had never been.
void a_tracker_is_as_before() {
  const auto frame = [](int64_t left) {
    return made(kHeight, kWidth, 3, [=](int64_t y, int64_t x, int64_t c) {
      return from_centre(y, x - left) < 40 ? 200 - 60 * c + (x * y) % 17 : 60 + x / 4 + (y * 7 + x * 3) % 19;
    });
  };
  const Image<uint8_t> first = frame(0), second = frame(4);
  SessionOptions options;
  options.network = nullptr;
  Prompt box;
  box.box = Box{40, 20, 100, 100};
  Tracker tracker(options);
  tracker.next(first.view(), ImageView<const uint8_t>{}, box);
  const std::vector<uint8_t> state = tracker.save();
  int64_t failures = 0;
  for (int64_t from = 1; from < 4000; from += 1 + from / 8) {
    if (run([&] { tracker.next(second.view(), ImageView<const uint8_t>{}); }, from, false) == End::whole) break;
    ++failures;
    const bool same = tracker.save() == state;
    if (!same) std::fprintf(stderr, "tracker: allocation %lld\n", static_cast<long long>(from));
    CHECK(same);
    if (!same) tracker.load(state);
  }
  CHECK(failures > 5);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) most_steps = std::atoll(argv[1]);
  builtin_network();
  const BufferPool pool;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    stages();
    a_tracker_is_as_before();
  }
  CHECK(buffer_pool_counts().bytes_in_use == 0);
  return check::result();
}
