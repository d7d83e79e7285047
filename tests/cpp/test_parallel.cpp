// The parallel loop: every block once, exceptions, nesting, many callers, fork.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "alphacut/parallel.hpp"
#include "check.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace alphacut;

#if defined(__SANITIZE_THREAD__)
constexpr bool thread_sanitizer = true;
#else
constexpr bool thread_sanitizer = false;
#endif

namespace {

int64_t sum_to(int64_t count, int64_t grain) {
  std::atomic<int64_t> sum{0};
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum += i;
  });
  return sum;
}

void blocks_cover_everything_once() {
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    CHECK(num_threads() == threads);
    for (int64_t count : {0, 1, 2, 7, 64, 1000})
      for (int64_t grain : {-1, 0, 1, 3, 64, 5000}) {
        const int64_t step = grain < 1 ? 1 : grain;
        const auto visits = std::make_unique<std::atomic<int>[]>(static_cast<size_t>(count) + 1);
        std::atomic<bool> aligned{true};
        parallel_for(count, grain, [&](int64_t begin, int64_t end) {
          const bool last = end == count;
          if (begin % step != 0 || (end - begin != step && !last) || end <= begin) aligned = false;
          for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
        });
        CHECK(aligned.load());
        for (int64_t i = 0; i < count; ++i) CHECK(visits[static_cast<size_t>(i)] == 1);
      }
  }
}

void exceptions_reach_the_caller() {
  for (int threads : {1, 4}) {
    set_num_threads(threads);
    for (int64_t bad : {0, 50, 99}) {
      std::string message;
      try {
        parallel_for(100, 1, [&](int64_t begin, int64_t) {
          if (begin >= bad) throw std::runtime_error("block failed");
        });
      } catch (const std::runtime_error& error) {
        message = error.what();
      }
      CHECK(message == "block failed");
    }
    CHECK(sum_to(100, 1) == 4950);  // the pool still works
  }
}

// Two blocks that wait for each other end only if a second thread comes, be it awake, asleep or just falling asleep.
void helpers_come_after_any_pause() {
  set_num_threads(2);
  for (int pause = 0; pause < 150; ++pause) {
    std::this_thread::sleep_for(std::chrono::microseconds(pause % 2 == 0 ? pause : 0));
    std::atomic<int> arrived{0};
    std::atomic<bool> alone{false};
    parallel_for(2, 1, [&](int64_t, int64_t) {
      ++arrived;
      const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (arrived < 2 && !alone) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() > limit) alone = true;
      }
    });
    CHECK(!alone.load());
  }
}

void loops_nest() {
  set_num_threads(4);
  std::atomic<int64_t> total{0};
  parallel_for(20, 1, [&](int64_t, int64_t) { total += sum_to(100, 10); });
  CHECK(total == 20 * 4950);
}

void many_callers() {
  set_num_threads(3);
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i)
    callers.emplace_back([&] {
      for (int turn = 0; turn < 50; ++turn) right += sum_to(1000, 7) == 499500;
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 8 * 50);
}

void a_forked_child_has_a_pool() {
#if defined(__unix__) || defined(__APPLE__)
  if (thread_sanitizer) return;  // it does not follow a fork that starts threads
  set_num_threads(4);
  CHECK(sum_to(1000, 1) == 499500);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(sum_to(1000, 1) == 499500 ? 0 : 1);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
}

}  // namespace

int main() {
  CHECK_THROWS(std::invalid_argument, set_num_threads(0));
  CHECK_THROWS(std::invalid_argument, set_num_threads(1025));
  blocks_cover_everything_once();
  exceptions_reach_the_caller();
  helpers_come_after_any_pause();
  loops_nest();
  many_callers();
  a_forked_child_has_a_pool();
  return check::result();
}
