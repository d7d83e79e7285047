#include "alphacut/parallel.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "alphacut/cancel.hpp"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace alphacut {
namespace {

constexpr int kMaxThreads = 1024;

#if defined(__linux__)
// The first two words of a file, or none.
std::array<std::string, 2> words_of(const std::string& path) {
  std::array<std::string, 2> words;
  std::ifstream(path) >> words[0] >> words[1];
  return words;
}

// The processors that a quota allows, rounded up; kMaxThreads: no limit that can be read.
int within_quota(const std::string& quota, const std::string& period) {
  const double share = std::atof(quota.c_str()) / std::max(std::atof(period.c_str()), 1.0);
  return share > 0 && share < kMaxThreads ? static_cast<int>(std::ceil(share)) : kMaxThreads;
}

// What the control groups of this process (cgroup v2 and v1) and those above them allow.
int quota_of_cgroups() {
  int allowed = kMaxThreads;
  std::vector<std::string> places{"", ""};  // under v2's root, and v1's "cpu"
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty()) places[0] = line.substr(second + 1);
    if ((',' + controllers + ',').find(",cpu,") != std::string::npos) places[1] = line.substr(second + 1);
  }
  for (size_t version = 0; version < places.size(); ++version)
    for (std::string place = places[version];; place.resize(std::min(place.rfind('/'), place.size() - 1))) {
      if (place == "/") place.clear();
      const std::string root = version == 0 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
      const auto [quota, period] = version == 0 ? words_of(root + place + "/cpu.max")
                                                : std::array{words_of(root + place + "/cpu.cfs_quota_us")[0],
                                                             words_of(root + place + "/cpu.cfs_period_us")[0]};
      allowed = std::min(allowed, within_quota(quota, period));
      if (place.empty()) break;
    }
  return allowed;
}
#endif

int available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::clamp(std::min(CPU_COUNT(&set), quota_of_cgroups()), 1, kMaxThreads);
#endif
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}

int initial_threads() {
  const char* text = std::getenv("ALPHACUT_NUM_THREADS");
  if (text == nullptr || *text == '\0') return available_processors();
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end || value < 1 || value > kMaxThreads)
    throw std::invalid_argument("ALPHACUT_NUM_THREADS must be a whole number from 1 to 1024, got '" +
                                std::string(text) + "'");
  return value;
}

std::atomic<int> thread_count{0};  // 0: not yet chosen
thread_local bool inside_loop = false;

struct Job {
  detail::LoopBody body;
  void* context;
  int64_t count, grain, blocks;
  const CancelScope* scope;  // the caller's
  std::atomic<int64_t> next{0};
  int open_slots = 0;           // helpers that may still join; guarded by the pool's mutex
  std::atomic<int> helpers{0};  // helpers inside; written under the pool's mutex
  std::exception_ptr error = nullptr;

  // Takes blocks until none is left. Returns what the body threw, and then leaves no block to the others.
  std::exception_ptr work() {
    inside_loop = true;
    const CancelScope* const own = std::exchange(detail::cancel_scope(), scope);
    std::exception_ptr thrown;
    try {
      for (int64_t block; (block = next.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
        throw_if_cancelled();
        body(context, block * grain, std::min(count, (block + 1) * grain));
      }
    } catch (...) {
      thrown = std::current_exception();
      next.store(blocks, std::memory_order_relaxed);
    }
    detail::cancel_scope() = own;
    inside_loop = false;
    return thrown;
  }
};

// Waiting for the system to wake a thread takes longer than many a loop, so that threads look out for work, and callers
// for the end of it, for so long before they sleep.
constexpr auto kPatience = std::chrono::microseconds(50);

template <class Condition>
void look_out(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (!condition() && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
}

class Pool {
 public:
  void run(Job& job, int threads) {
    int asleep_wanted;
    {
      std::lock_guard lock(mutex_);
      job.open_slots = static_cast<int>(std::min<int64_t>(threads, job.blocks)) - 1;
      asleep_wanted = std::min(job.open_slots - awake_, asleep_);
      try {
        for (; workers_ < threads - 1; ++workers_) std::thread([this] { serve(); }).detach();
      } catch (const std::system_error&) {
        // The system has no thread to give: those there are, and the caller, do the work.
      }
      jobs_.push_back(&job);
      open_jobs_ = jobs_.size();
    }
    for (; asleep_wanted > 0; --asleep_wanted) wake_.notify_one();
    std::exception_ptr error = job.work();
    std::unique_lock lock(mutex_);
    std::erase(jobs_, &job);
    open_jobs_ = jobs_.size();
    if (job.helpers != 0) {
      lock.unlock();
      look_out([&] { return job.helpers == 0; });
      lock.lock();
      done_.wait(lock, [&] { return job.helpers == 0; });
    }
    if (!error) error = job.error;
    lock.unlock();
    if (error) std::rethrow_exception(error);
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (jobs_.empty()) {
        ++awake_;
        lock.unlock();
        look_out([&] { return open_jobs_ != 0; });
        lock.lock();
        --awake_;
      }
      ++asleep_;
      wake_.wait(lock, [&] { return !jobs_.empty(); });
      --asleep_;
      Job& job = *jobs_.front();
      if (--job.open_slots == 0) {
        jobs_.pop_front();
        open_jobs_ = jobs_.size();
      }
      ++job.helpers;
      lock.unlock();
      std::exception_ptr error = job.work();
      lock.lock();
      if (error && !job.error) job.error = error;
      if (--job.helpers == 0) done_.notify_all();  // the job may be gone from here on
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::deque<Job*> jobs_;
  std::atomic<size_t> open_jobs_{0};  // jobs_.size(), to be looked at without the mutex
  int workers_ = 0, awake_ = 0, asleep_ = 0;
};

// The pool is never destroyed: its threads wait until the process ends. A child of fork has none of the parent's
// threads and perhaps a locked mutex, so it starts with a new pool and leaves the old one alone.
std::atomic<Pool*> the_pool{nullptr};

Pool& pool() {
  static const bool registered = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] {
      the_pool.store(new Pool);
      inside_loop = false;
    });
#endif
    the_pool.store(new Pool);
    return true;
  }();
  (void)registered;
  return *the_pool.load();
}

}  // namespace

int num_threads() {
  int count = thread_count.load(std::memory_order_relaxed);
  if (count == 0) {
    int unset = 0;
    thread_count.compare_exchange_strong(unset, initial_threads());
    count = thread_count.load();
  }
  return count;
}

void set_num_threads(int count) {
  if (count < 1 || count > kMaxThreads)
    throw std::invalid_argument("count must be from 1 to 1024, got " + std::to_string(count));
  thread_count.store(count);
}

void detail::parallel_for(int64_t count, int64_t grain, LoopBody body, void* context) {
  if (count <= 0) return;
  grain = std::clamp<int64_t>(grain, 1, count);
  const int64_t blocks = (count - 1) / grain + 1;
  const int threads = blocks == 1 || inside_loop ? 1 : num_threads();
  if (threads == 1) {
    for (int64_t begin = 0; begin < count; begin += grain) {
      throw_if_cancelled();
      body(context, begin, std::min(count, begin + grain));
    }
    return;
  }
  throw_if_cancelled();  // helpers may take all blocks, and do not ask
  Job job{body, context, count, grain, blocks, detail::cancel_scope()};
  pool().run(job, threads);
}

}  // namespace alphacut
