// Work without Python's lock (GIL), and back.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <exception>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "alphacut/cancel.hpp"

namespace alphacut {

namespace py = pybind11;

// The answer of a call of Python's that may take the lock, or that runs Python, which gives it away and takes it again.
// While the interpreter ends, no thread but its own gets it: older Pythons unwind such a thread (by pthread_exit),
// through destructors that would touch Python. Here it waits for the end of the process, as in Python 3.14.
template <class Call>
auto with_end_in_mind(Call&& call) {
  try {
    return call();
  } catch (...) {
    if (std::current_exception() == nullptr)  // what unwinds is no exception of C++
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    throw;
  }
}

// The answer of work that touches Python, asked for by work that does not hold its lock.
template <class Work>
auto with_gil(Work&& work) {
  struct Held {
    PyGILState_STATE state = with_end_in_mind([] { return PyGILState_Ensure(); });
    ~Held() { PyGILState_Release(state); }
  };
  const Held held;
  return with_end_in_mind(work);
}

// The answer of work that touches nothing of Python. It runs without the lock, so that other threads of Python's do;
// Ctrl-C ends it, within a tenth of a second.
template <class Work>
auto without_gil(Work&& work) {
  using Answer = decltype(work());
  PyThreadState* state = PyEval_SaveThread();
  bool listens = true;  // only Python's main thread is told of signals
  const auto interrupted = [&] {
    if (!listens || PyGILState_Check() != 0) return false;  // held already: inside a call from C++ into Python
    with_end_in_mind([&] {
      PyEval_RestoreThread(state);
      try {
        const py::object threading = py::module_::import("threading");
        listens = threading.attr("get_ident")().equal(threading.attr("main_thread")().attr("ident"));
        if (listens && PyErr_CheckSignals() != 0) listens = false;
      } catch (py::error_already_set& error) {
        error.restore();
      }
    });
    const bool raised = PyErr_Occurred() != nullptr;
    state = PyEval_SaveThread();
    return raised;
  };
  std::conditional_t<std::is_void_v<Answer>, bool, std::optional<Answer>> answer{};
  std::exception_ptr thrown;
  try {
    const CancelScope scope(interrupted, std::chrono::milliseconds(50));
    if constexpr (std::is_void_v<Answer>)
      work();
    else
      answer.emplace(work());
  } catch (...) {
    thrown = std::current_exception();
  }
  with_end_in_mind([&] { return PyEval_RestoreThread(state); });
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  if (thrown) std::rethrow_exception(thrown);
  if constexpr (!std::is_void_v<Answer>) return *std::move(answer);
}

}  // namespace alphacut
