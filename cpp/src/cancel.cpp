#include "alphacut/cancel.hpp"

#include <utility>

namespace alphacut {

const CancelScope*& detail::cancel_scope() {
  thread_local const CancelScope* scope = nullptr;
  return scope;
}

CancelScope::CancelScope(CancelToken token, std::function<bool()> asked, std::chrono::steady_clock::duration every)
    : token_(std::move(token)),
      asked_(std::move(asked)),
      every_(every),
      next_(asked_ ? std::chrono::steady_clock::now() + every : std::chrono::steady_clock::time_point()),
      thread_(std::this_thread::get_id()),
      outer_(std::exchange(detail::cancel_scope(), this)) {}

CancelScope::~CancelScope() { detail::cancel_scope() = outer_; }

bool CancelScope::cancelled() const {
  if (asked_ && !token_.cancelled() && std::this_thread::get_id() == thread_) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_) {
      next_ = now + every_;
      if (asked_()) CancelToken(token_).cancel();
    }
  }
  return token_.cancelled();
}

void throw_if_cancelled() {
  for (const CancelScope* scope = detail::cancel_scope(); scope != nullptr; scope = scope->outer_)
    if (scope->cancelled()) throw Cancelled();
}

}  // namespace alphacut
