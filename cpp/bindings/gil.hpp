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

// Takes the lock by `take`. While the interpreter ends, no thread but its own gets it: older Pythons unwind such a
// thread, through destructors that would touch Python. Here it waits for the end of the process, as in Python 3.14.
template <class Take>
auto with_end_in_mind(Take&& take) {
  try {
    return take();
  } catch (...) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

// Holds the lock, in a call from C++ into Python.
class GilHeld {
 public:
  GilHeld() : state_(with_end_in_mind([] { return PyGILState_Ensure(); })) {}
  ~GilHeld() { PyGILState_Release(state_); }
  GilHeld(const GilHeld&) = delete;
  GilHeld& operator=(const GilHeld&) = delete;

 private:
  PyGILState_STATE state_;
};

// The answer of work that touches nothing of Python. It runs without the lock, so that other threads of Python's do;
// Ctrl-C ends it, within a tenth of a second.
template <class Work>
auto without_gil(Work&& work) {
  using Answer = decltype(work());
  PyThreadState* state = PyEval_SaveThread();
  bool listens = true;  // only Python's main thread is told of signals
  const auto interrupted = [&] {
    if (!listens || PyGILState_Check() != 0) return false;  // held already: inside a call from C++ into Python
    with_end_in_mind([&] { return PyEval_RestoreThread(state); });
    try {
      const py::object threading = py::module_::import("threading");
      listens = threading.attr("get_ident")().equal(threading.attr("main_thread")().attr("ident"));
      if (listens && PyErr_CheckSignals() != 0) listens = false;
    } catch (py::error_already_set& error) {
      error.restore();
    }
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
