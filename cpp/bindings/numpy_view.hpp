// The only place where NumPy arrays become views. Errors name the argument, what came and what is accepted.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "alphacut/image.hpp"
#include "alphacut/parallel.hpp"
#include "gil.hpp"
#include "pooled_vector.hpp"

namespace py = pybind11;

namespace alphacut {

// Keeps the pixels alive while they are in use.
template <class T>
struct Input {
  py::array array;   // the caller's
  py::array pixels;  // what the view shows: the same, or a copy of it
  ImageView<const T> view;
  operator ImageView<const T>() const { return view; }
};

template <class T>
struct Output {
  py::array array;
  ImageView<T> view;
  operator ImageView<T>() const { return view; }
};

inline std::string type_name(py::handle value) { return py::str(py::type::handle_of(value).attr("__name__")); }

inline py::array array_argument(py::handle value, const char* name) {
  if (py::isinstance<py::array>(value)) return py::reinterpret_borrow<py::array>(value);
  if (py::module_::import("alphacut._device").attr("lives_on_gpu")(value).cast<bool>())
    throw py::type_error(std::string(name) +
                         " lives on a GPU, but this runs on the CPU: copy it to host memory first, " +
                         "by its copy_to_host() (Numba), .get() (CuPy) or .cpu().numpy() (PyTorch)");
  throw py::type_error(std::string(name) + " must be a numpy.ndarray, got " + type_name(value));
}

// The common case is one comparison of pointers: NumPy has one object for each of its own dtypes.
template <class T>
bool has_dtype(const py::array& array) {
  const py::dtype wanted = py::dtype::of<T>();
  return py::detail::array_proxy(array.ptr())->descr == wanted.ptr() || py::isinstance<py::array_t<T>>(array);
}

inline std::string shape_text(const py::array& array) { return py::str(array.attr("shape")); }

template <class T>
std::string dtype_text() {
  return py::str(py::dtype::of<T>());
}

// A buffer as a Python object that gives it back at its end.
inline py::capsule owned_buffer(size_t bytes) {
  void* const buffer = alphacut::detail::take_buffer(bytes);
  PyObject* const capsule = PyCapsule_New(buffer, nullptr, [](PyObject* self) {
    alphacut::detail::give_buffer(PyCapsule_GetPointer(self, nullptr),
                                  reinterpret_cast<size_t>(PyCapsule_GetContext(self)));
  });
  if (capsule == nullptr) {
    alphacut::detail::give_buffer(buffer, bytes);
    throw py::error_already_set();
  }
  PyCapsule_SetContext(capsule, reinterpret_cast<void*>(bytes));
  return py::reinterpret_steal<py::capsule>(capsule);
}

// A new array, uninitialised. While buffers are kept, a big one lies in such a buffer.
template <class T>
py::array new_array(py::ssize_t ndim, const Py_intptr_t* shape) {
  constexpr auto limit = std::numeric_limits<py::ssize_t>::max();
  py::ssize_t bytes = sizeof(T);  // 0 if they are too many to count: NumPy then says so
  for (py::ssize_t i = 0; i < ndim; ++i) bytes = shape[i] == 0 || bytes <= limit / shape[i] ? bytes * shape[i] : 0;
  if (bytes >= static_cast<py::ssize_t>(kPooledSize) && keeps_buffers()) {
    const py::capsule owner = owned_buffer(static_cast<size_t>(bytes));
    return py::array(py::dtype::of<T>(), std::vector<py::ssize_t>(shape, shape + ndim), {}, owner.get_pointer(), owner);
  }
  auto& api = py::detail::npy_api::get();
  PyObject* array = api.PyArray_NewFromDescr_(api.PyArray_Type_, py::dtype::of<T>().release().ptr(),
                                              static_cast<int>(ndim), shape, nullptr, nullptr, 0, nullptr);
  if (array == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::array>(array);
}

// A copy with packed rows of an array of two or three axes.
template <class T>
py::array packed_copy(const py::array& array) {
  if (array.ndim() != 2 && array.ndim() != 3) return py::array(array.attr("copy")("C"));
  const Py_intptr_t shape[] = {array.shape(0), array.shape(1), array.ndim() == 3 ? array.shape(2) : 1};
  py::array copy = new_array<T>(array.ndim(), shape);
  const auto* from = static_cast<const std::byte*>(array.data());
  auto* const to = static_cast<T*>(copy.mutable_data());
  const py::ssize_t down = array.strides(0), across = array.strides(1), deep = array.ndim() == 3 ? array.strides(2) : 0;
  const int64_t width = shape[1], channels = shape[2];
  const auto copy_pixels = [&](int64_t begin, int64_t end, auto count) {
    for (int64_t y = begin; y < end; ++y) {
      const std::byte* pixel = from + y * down;
      T* __restrict row = to + y * width * channels;
      for (int64_t x = 0; x < width; ++x, pixel += across, row += count)
        for (int64_t c = 0; c < count; ++c) std::memcpy(row + c, pixel + c * deep, sizeof(T));
    }
  };
  // The colours of RGBA in bytes, four at a time: the fourth is overwritten by the next pixel, and the last has three.
  const auto copy_colours = [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const std::byte* pixel = from + y * down;
      auto* row = reinterpret_cast<std::byte*>(to + y * width * 3);
      for (int64_t x = 0; x + 1 < width; ++x) std::memcpy(row + 3 * x, pixel + 4 * x, 4);
      std::memcpy(row + 3 * (width - 1), pixel + 4 * (width - 1), 3);
    }
  };
  parallel_for(shape[0], row_grain(width * channels), [&](int64_t begin, int64_t end) {
    if (sizeof(T) == 1 && channels == 3 && across == 4 && deep == 1)
      copy_colours(begin, end);
    else if (channels == 3)
      copy_pixels(begin, end, std::integral_constant<int64_t, 3>());
    else if (channels == 1)
      copy_pixels(begin, end, std::integral_constant<int64_t, 1>());
    else
      copy_pixels(begin, end, channels);
  });
  return copy;
}

// A view of an array whose rows are packed; an array with gaps inside its rows is copied once.
template <class T>
Input<T> view_of(py::array array) {
  const auto packed = [](const py::array& a) {
    for (py::ssize_t axis = a.ndim() - 1, step = a.itemsize(); axis > 0; step *= a.shape(axis--))
      if (a.shape(axis) > 1 && a.strides(axis) != step) return false;
    return true;
  };
  const bool aligned = (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  py::array pixels = packed(array) && aligned ? array : packed_copy<T>(array);
  ImageView<const T> view{static_cast<const T*>(pixels.data()), pixels.shape(0), pixels.shape(1),
                          pixels.ndim() == 3 ? pixels.shape(2) : 1, pixels.strides(0)};
  return {std::move(array), std::move(pixels), view};
}

// Whether a picture may have no pixels: what asks nothing of them has an answer.
enum class Pixels { some, any };

// (H, W) of dtype T, neither side 0 but for `any`. T = uint8_t takes bool too.
template <class T>
Input<T> plane(py::handle value, const char* name, Pixels pixels = Pixels::some) {
  py::array array = array_argument(value, name);
  if (std::is_same_v<T, uint8_t> && !has_dtype<T>(array) && has_dtype<bool>(array))
    array = py::array(array.attr("view")("uint8"));
  if (!has_dtype<T>(array))
    throw py::type_error(std::string(name) + " must have dtype " + dtype_text<T>() +
                         (std::is_same_v<T, uint8_t> ? " or bool" : "") + ", got " +
                         std::string(py::str(array.dtype())));
  if (array.ndim() != 2 || (array.size() == 0 && pixels == Pixels::some))
    throw py::value_error(std::string(name) + " must have shape (height, width)" +
                          (pixels == Pixels::some ? ", neither 0" : "") + ", got " + shape_text(array));
  return view_of<T>(std::move(array));
}

// (H, W) or (H, W, 3) of dtype T, neither side 0 but for `any`.
template <class T>
Input<T> image(py::handle value, const char* name, Pixels pixels = Pixels::some) {
  py::array array = array_argument(value, name);
  if (!has_dtype<T>(array))
    throw py::type_error(std::string(name) + " must have dtype " + dtype_text<T>() + ", got " +
                         std::string(py::str(array.dtype())));
  const bool shaped = array.ndim() == 2 || (array.ndim() == 3 && array.shape(2) == 3);
  if (!shaped || (array.size() == 0 && pixels == Pixels::some))
    throw py::value_error(std::string(name) + " must have shape (height, width) or (height, width, 3)" +
                          (pixels == Pixels::some ? ", no side 0" : "") + ", got " + shape_text(array));
  return view_of<T>(std::move(array));
}

// (H, W, 4) of dtype T, neither side 0.
template <class T>
Input<T> rgba_image(py::handle value, const char* name) {
  py::array array = array_argument(value, name);
  if (!has_dtype<T>(array))
    throw py::type_error(std::string(name) + " must have dtype " + dtype_text<T>() + ", got " +
                         std::string(py::str(array.dtype())));
  if (array.ndim() != 3 || array.shape(2) != 4 || array.size() == 0)
    throw py::value_error(std::string(name) + " must have shape (height, width, 4), no side 0, got " +
                          shape_text(array));
  return view_of<T>(std::move(array));
}

// Calls f(Input<uint8_t>) or f(Input<float>) by the dtype of a picture; a TypeError for any other.
template <class F>
auto with_image(py::handle value, const char* name, F&& f) {
  py::array array = array_argument(value, name);
  if (has_dtype<uint8_t>(array)) return f(image<uint8_t>(array, name));
  if (has_dtype<float>(array)) return f(image<float>(array, name));
  throw py::type_error(std::string(name) + " must have dtype uint8, uint16 or float32, got " +
                       std::string(py::str(array.dtype())));
}

// Calls f(Input<T>) by the dtype of a picture of any depth and size; a TypeError for any other.
template <class F>
auto with_numbers(py::handle value, const char* name, F&& f) {
  py::array array = array_argument(value, name);
  if (has_dtype<uint8_t>(array)) return f(image<uint8_t>(array, name, Pixels::any));
  if (has_dtype<uint16_t>(array)) return f(image<uint16_t>(array, name, Pixels::any));
  if (has_dtype<int16_t>(array)) return f(image<int16_t>(array, name, Pixels::any));
  if (has_dtype<int32_t>(array)) return f(image<int32_t>(array, name, Pixels::any));
  if (has_dtype<float>(array)) return f(image<float>(array, name, Pixels::any));
  if (has_dtype<double>(array)) return f(image<double>(array, name, Pixels::any));
  throw py::type_error(std::string(name) + " must have dtype bool, float32, float64 or an integer's, got " +
                       std::string(py::str(array.dtype())));
}

// Whether arrays share an element. Asks NumPy only if the ranges of their addresses meet.
inline bool share_memory(const py::array& a, const py::array& b) {
  const auto range = [](const py::array& array) {
    const auto* low = static_cast<const std::byte*>(array.data());
    const std::byte* high = low + array.itemsize();
    for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
      const py::ssize_t reach = (array.shape(axis) - 1) * array.strides(axis);
      (reach < 0 ? low : high) += reach;
    }
    return std::pair(low, high);
  };
  const auto [a_low, a_high] = range(a);
  const auto [b_low, b_high] = range(b);
  if (a.size() == 0 || b.size() == 0) return false;
  if (std::less_equal<>()(a_high, b_low) || std::less_equal<>()(b_high, a_low)) return false;
  return py::module_::import("numpy").attr("shares_memory")(a, b).cast<bool>();
}

// The array to write into: `out`, checked, or a new one if it is None. channels = 0 makes (H, W), else (H, W,
// channels). `out` must be writable, have exactly this shape and dtype, packed rows, and share no memory with an input.
template <class T>
Output<T> output(py::handle out, int64_t height, int64_t width, int64_t channels,
                 std::initializer_list<py::handle> inputs, const char* name = "out") {
  const Py_intptr_t shape[] = {height, width, channels};
  const py::ssize_t ndim = channels == 0 ? 2 : 3;
  py::array array;
  if (out.is_none()) {
    array = new_array<T>(ndim, shape);
  } else {
    array = array_argument(out, name);
    if (!has_dtype<T>(array))
      throw py::type_error(std::string(name) + " must have dtype " + dtype_text<T>() + ", got " +
                           std::string(py::str(array.dtype())));
    if (array.ndim() != ndim || !std::equal(shape, shape + ndim, array.shape()))
      throw py::value_error(std::string(name) + " must have shape " +
                            std::string(py::str(py::tuple(py::cast(std::vector<int64_t>(shape, shape + ndim))))) +
                            ", got " + shape_text(array));
    if (!array.writeable()) throw py::value_error(std::string(name) + " is read-only");
    if (view_of<T>(array).pixels.ptr() != array.ptr())
      throw py::value_error(std::string(name) +
                            " must have packed, aligned rows: only the stride between rows is free");
    for (py::handle input : inputs)
      if (py::isinstance<py::array>(input) && share_memory(array, py::reinterpret_borrow<py::array>(input)))
        throw py::value_error(std::string(name) + " overlaps an input");
  }
  const auto stride = array.strides(0);
  return {array, {static_cast<T*>(array.mutable_data()), height, width, channels == 0 ? 1 : channels, stride}};
}

// Calls f(Input) for a plane of uint8 (or bool) or float32.
template <class F>
auto with_plane(py::handle value, const char* name, F&& f) {
  const py::array array = array_argument(value, name);
  if (py::isinstance<py::array_t<float>>(array)) return f(plane<float>(array, name));
  return f(plane<uint8_t>(array, name));
}

}  // namespace alphacut
