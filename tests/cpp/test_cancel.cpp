// Cancelled work ends soon, wherever that is, and leaves what it kept as good as it was.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "alphacut/alphacut.hpp"
#include "check.hpp"
#include "made.hpp"

using namespace alphacut;
using std::chrono::milliseconds;

namespace {

constexpr int64_t kHeight = 210, kWidth = 280;
// At most so many cancelled cuts a case, and one.
constexpr int64_t kPlaces = kSanitized ? 7 : 23;

double from_centre(int64_t y, int64_t x) {
  return std::hypot(static_cast<double>(y - 100), static_cast<double>(x - 150));
}

Image<uint8_t> picture(bool plain) {
  return made(kHeight, kWidth, 3, [&](int64_t y, int64_t x, int64_t c) -> int64_t {
    const int64_t inside[] = {200, 90, 40};
    if (from_centre(y, x) < 60) return inside[c] + (x * y + c) % 23;
    return plain ? 235 : 60 + x / 4 + (y * 7 + x * 3) % 19;
  });
}

Image<uint8_t> strokes(int64_t reach) {
  return made(kHeight, kWidth, 1, [&](int64_t y, int64_t x, int64_t) {
    return y < 9 ? 0 : y == 100 && std::abs(x - 150) < reach ? 1 : 2;
  });
}

bool same(const Cutout& a, const Cutout& b) {
  return std::visit(
      [&]<class T>(const Image<T>& one) {
        const auto pixels = static_cast<size_t>(one.pixels());
        return std::memcmp(one.data(), std::get<Image<T>>(b.alpha).data(), pixels * sizeof(T)) == 0 &&
               std::memcmp(a.mask.data(), b.mask.data(), pixels) == 0 && a.confidence == b.confidence &&
               a.warnings == b.warnings;
      },
      a.alpha);
}

void loops_end() {
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    CancelToken token;
    const CancelScope scope(token);
    std::atomic<int64_t> begun{0};
    CHECK_THROWS(Cancelled, parallel_for(1000, 1, [&](int64_t, int64_t) {
                   if (++begun == 10) token.cancel();
                 }));
    CHECK(begun >= 10 && begun < 10 + threads);
    begun = 0;
    CHECK_THROWS(Cancelled, parallel_for(1, 1, [&](int64_t, int64_t) { ++begun; }));
    CHECK(begun == 0);
  }
  std::atomic<int64_t> done{0};
  parallel_for(100, 1, [&](int64_t, int64_t) { ++done; });  // the scope is left
  CHECK(done == 100);
}

void inner_loops_end_too() {
  set_num_threads(3);
  CancelToken token;
  const CancelScope outer(token), inner(CancelToken{});
  std::atomic<int64_t> begun{0};
  CHECK_THROWS(Cancelled, parallel_for(6, 1, [&](int64_t, int64_t) {
                 parallel_for(1000, 1, [&](int64_t, int64_t) {
                   if (++begun == 50) token.cancel();
                 });
               }));
  CHECK(begun >= 50 && begun < 60);
}

void only_the_thread_of_the_scope() {
  CancelToken token;
  const CancelScope scope(token);
  token.cancel();
  std::thread([] { parallel_for(10, 1, [](int64_t, int64_t) {}); }).join();
  CHECK_THROWS(Cancelled, throw_if_cancelled());
}

void who_is_asked_may_throw() {
  set_num_threads(2);
  const CancelScope scope([]() -> bool { throw std::runtime_error("no"); }, milliseconds(0));
  CHECK_THROWS(std::runtime_error, parallel_for(100, 1, [](int64_t, int64_t) {}));
}

struct Case {
  const char* name;
  SessionOptions options;
  Prompt prompt;
  bool plain, deep, framed;
};

// Cancelled at each of its checks in turn, or at some of them: the next cut is that of a new session.
void a_session_stays_good() {
  set_num_threads(1);
  const Image<uint8_t> photo = picture(false), product = picture(true), some = strokes(10), more = strokes(30);
  Image<uint8_t> mask =
      made(kHeight, kWidth, 1, [](int64_t y, int64_t x, int64_t) { return from_centre(y, x) < 62 ? 255 : 0; });
  Image<float> deep(kHeight, kWidth, 3), frame(kHeight, kWidth);
  for (int64_t i = 0; i < 3 * deep.pixels(); ++i) deep.data()[i] = static_cast<float>(photo.data()[i]) / 255;
  for (int64_t y = 0; y < kHeight; ++y)
    for (int64_t x = 0; x < kWidth; ++x)
      frame.row(y)[x] = std::min({y, x, kHeight - 1 - y, kWidth - 1 - x}) > 8 ? 1 : 0;
  std::vector<Case> cases(8);
  cases[0].name = "nothing";
  cases[1].name = "box";
  cases[1].prompt.box = Box{80, 30, 140, 140};
  cases[2].name = "labels";
  cases[2].prompt.labels = some;
  cases[3].name = "key";
  cases[3].plain = true;
  cases[4].name = "mask";
  cases[4].prompt.mask = mask;
  cases[4].options.edge_feather = 2;
  cases[5].name = "kmeans";
  cases[5].options.method = CutMethod::kmeans;
  cases[5].options.preparations = {Preparation::denoise, Preparation::white_balance};
  cases[6].name = "deep";
  cases[6].deep = true;
  cases[6].prompt.box = Box{80, 30, 140, 140};
  cases[7].name = "framed by its own alpha";
  cases[7].deep = cases[7].framed = true;
  for (const Case& each : cases) {
    const AnyView image = each.deep ? AnyView(deep.view()) : each.plain ? product.view() : photo.view();
    const AnyView alpha = each.framed ? AnyView(frame.view()) : AnyView();
    Prompt next = each.prompt;
    if (next.labels) next.labels = more;
    Session untouched(image, alpha, each.options);
    const Cutout first = untouched.cut(each.prompt), second = untouched.cut(next);
    int64_t checks = 0;
    {
      const CancelScope counting([&] { return ++checks, false; }, milliseconds(0));
      Session(image, alpha, each.options).cut(each.prompt);
    }
    CHECK(checks > 5);
    for (int64_t limit = 1; limit <= checks; limit += 1 + checks / kPlaces) {
      Session session(image, alpha, each.options);
      int64_t left = limit;
      {
        const CancelScope scope([&] { return --left == 0; }, milliseconds(0));
        CHECK_THROWS(Cancelled, session.cut(each.prompt));
      }
      const bool good = same(session.cut(each.prompt), first);
      left = limit;
      bool ended = false;
      {
        const CancelScope scope([&] { return --left == 0; }, milliseconds(0));
        try {
          session.cut(next);
        } catch (const Cancelled&) {
          ended = true;
        }
      }
      const bool still = same(session.cut(next), second);
      if (!good || !still)
        std::fprintf(stderr, "%s: cancelled at %lld of %lld%s\n", each.name, static_cast<long long>(limit),
                     static_cast<long long>(checks), ended ? "" : ", in the first cut only");
      CHECK(good && still);
    }
  }
}

// A resumed cut that was cancelled: what resumes next starts from there or anew, and is a cut like any other.
void a_resumed_cut_may_end() {
  set_num_threads(1);
  const Image<uint8_t> photo = picture(false), some = strokes(10), more = strokes(30);
  Prompt before, after;
  before.labels = some;
  after.labels = more;
  const Cutout expected = Session(photo).cut(after);
  for (int64_t limit = 1; limit < 40; limit += 3) {
    Session session{AnyView(photo)};
    session.cut(before, true);
    int64_t left = limit;
    {
      const CancelScope scope([&] { return --left == 0; }, milliseconds(0));
      try {
        session.cut(after, true);
      } catch (const Cancelled&) {
      }
    }
    CHECK(same(session.cut(after), expected));
    CHECK(session.cut(after, true).box.has_value());
  }
}

void from_another_thread() {
  set_num_threads(2);
  const Image<uint8_t> photo = picture(false);
  Session session{AnyView(photo)};
  std::atomic<bool> over{false};
  std::atomic<int> cancelled{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!over) {
        try {
          session.cut({});
        } catch (const Cancelled&) {
          if (++cancelled > 20) over = true;
        }
      }
    });
  while (!over) session.cancel();
  for (std::thread& thread : threads) thread.join();
  session.cancel();  // nothing runs
  CHECK(same(session.cut({}), Session(photo).cut({})));
}

}  // namespace

int main() {
  loops_end();
  inner_loops_end_too();
  only_the_thread_of_the_scope();
  who_is_asked_may_throw();
  a_session_stays_good();
  a_resumed_cut_may_end();
  from_another_thread();
  return check::result();
}
