#include <algorithm>
#include <optional>

#include "alphacut/color.hpp"
#include "alphacut/threshold.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

template <class T, class Limit>
py::array threshold_image(const Input<T>& gray, Limit limit, py::handle out) {
  auto mask = output<uint8_t>(out, gray.view.height, gray.view.width, 0, {gray.array});
  without_gil([&] { threshold(gray, limit, mask); });
  return mask.array;
}

py::array threshold_any(py::object gray, double limit, py::object out) {
  return with_image(gray, "gray", [&](auto input) {
    if constexpr (std::is_same_v<decltype(input), Input<uint8_t>>)
      return threshold_image(input, limit >= 0 ? static_cast<int>(std::min(limit, 255.0)) : -1, out);
    else
      return threshold_image(input, static_cast<float>(limit), out);
  });
}

constexpr struct {
  const char* name;
  FindLimit find;
} kMethods[] = {{"otsu", &otsu_limit}, {"triangle", &triangle_limit}, {"li", &li_limit}};

FindLimit method_named(const std::string& name) {
  for (const auto& method : kMethods)
    if (name == method.name) return method.find;
  return nullptr;
}

py::array threshold_found(py::object gray, const std::string& method, py::object out) {
  return with_image(gray, "gray", [&](auto input) {
    auto mask = output<uint8_t>(out, input.view.height, input.view.width, 0, {input.array});
    without_gil([&] { threshold(input, method_named(method), mask); });
    return mask.array;
  });
}

std::vector<int> find_limits(py::object gray, const std::string& method, int classes, py::object mask) {
  return with_image(gray, "gray", [&](auto input) {
    std::optional<Input<uint8_t>> chosen;
    if (!mask.is_none()) chosen = plane<uint8_t>(mask, "mask");
    return without_gil([&] {
      const Histogram counts = histogram(input, chosen ? chosen->view : ImageView<const uint8_t>{});
      const FindLimit find = method_named(method);
      return find != nullptr ? std::vector{find(counts)} : multi_otsu_limits(counts, classes);
    });
  });
}

py::array adaptive(py::object gray, int64_t window, const std::string& method, double offset, double k,
                   py::object out) {
  const auto kind = method == "mean"       ? AdaptiveMethod::mean
                    : method == "gaussian" ? AdaptiveMethod::gaussian
                                           : AdaptiveMethod::sauvola;
  return with_image(gray, "gray", [&](auto input) {
    auto mask = output<uint8_t>(out, input.view.height, input.view.width, 0, {input.array});
    without_gil([&] { adaptive_threshold(input, window, kind, offset, k, mask); });
    return mask.array;
  });
}

}  // namespace

void bind_threshold(py::module_& m) {
  m.def("threshold", &threshold_any, py::arg("gray"), py::arg("limit"), py::arg("out") = py::none());
  m.def("threshold_found", &threshold_found, py::arg("gray"), py::arg("method"), py::arg("out") = py::none());
  m.def("find_limits", &find_limits, py::arg("gray"), py::arg("method"), py::arg("classes") = 2,
        py::arg("mask") = py::none());
  m.def("adaptive_threshold", &adaptive, py::arg("gray"), py::arg("window"), py::arg("method"), py::arg("offset"),
        py::arg("k"), py::arg("out") = py::none());
}

}  // namespace alphacut
