// Ending work that nobody waits for any more.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include "alphacut/api.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Thrown out of a call that was told to end. What it was writing is undefined; what it had kept from calls before is
// as good as it was.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("the call was cancelled") {}
};

// A sign from any thread to any other. Copies of one are the same sign.
class CancelToken {
 public:
  void cancel() noexcept { *sign_ = true; }
  bool cancelled() const noexcept { return sign_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> sign_ = std::make_shared<std::atomic<bool>>(false);
};

// While it lives, the calls of its thread end by throwing Cancelled once the token is cancelled, within some
// milliseconds. Scopes of one thread nest, and any of their tokens ends a call.
class CancelScope {
 public:
  explicit CancelScope(CancelToken token) : CancelScope(std::move(token), {}, {}) {}

  // Asks, too: `asked` is called by this thread alone, at most every so often, and cancels by returning true.
  explicit CancelScope(std::function<bool()> asked, std::chrono::steady_clock::duration every)
      : CancelScope({}, std::move(asked), every) {}

  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

 private:
  friend void throw_if_cancelled();
  CancelScope(CancelToken token, std::function<bool()> asked, std::chrono::steady_clock::duration every);
  bool cancelled() const;

  CancelToken token_;
  std::function<bool()> asked_;
  std::chrono::steady_clock::duration every_;
  mutable std::chrono::steady_clock::time_point next_;
  std::thread::id thread_;
  const CancelScope* outer_;
};

// What every loop of parallel_for does for each of its blocks; for long loops of another kind.
void throw_if_cancelled();

namespace detail {
// The innermost scope of this thread; helpers of a loop take that of its caller.
const CancelScope*& cancel_scope();
}  // namespace detail

}  // namespace alphacut
ALPHACUT_API_END
