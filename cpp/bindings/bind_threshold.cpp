#include <algorithm>
#include <optional>

#include "alphacut/color.hpp"
#include "alphacut/threshold.hpp"
#include "border_named.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

// Calls work(input, result) without the interpreter's lock, for a picture with pixels, and gives the result.
template <class U, class T, class Work>
py::array made(const Input<T>& input, py::handle out, Work work) {
  auto result = output<U>(out, input.view.height, input.view.width, 0, {input.array});
  if (!input.view.empty()) without_gil([&] { work(input.view, result.view); });
  return result.array;
}

py::array threshold_any(py::object gray, double limit, int inside, int outside, py::object out) {
  return with_numbers(gray, "gray", [&](auto input) {
    return made<uint8_t>(input, out, [&](auto view, ImageView<uint8_t> mask) {
      threshold(view, limit, static_cast<uint8_t>(inside), static_cast<uint8_t>(outside), mask);
    });
  });
}

py::array threshold_kept(py::object gray, double limit, const std::string& mode, py::object out) {
  const Kept kept = mode == "trunc" ? Kept::truncated : mode == "tozero" ? Kept::above : Kept::below;
  return with_numbers(gray, "gray", [&]<class T>(const Input<T>& input) {
    return made<T>(input, out, [&](auto view, ImageView<T> result) { threshold(view, limit, kept, result); });
  });
}

constexpr struct {
  const char* name;
  FindLimit find;
} kMethods[] = {{"otsu", &otsu_limit},       {"triangle", &triangle_limit}, {"li", &li_limit},
                {"isodata", &isodata_limit}, {"yen", &yen_limit},           {"minimum", &minimum_limit},
                {"mean", &mean_limit},       {"entropy", &entropy_limit}};

FindLimit method_named(const std::string& name) {
  for (const auto& method : kMethods)
    if (name == method.name) return method.find;
  return nullptr;
}

// In one go: the luma of a colour picture is taken once.
py::array threshold_found(py::object gray, const std::string& method, py::object out) {
  const auto input = image<uint8_t>(gray, "gray");
  return made<uint8_t>(input, out,
                       [&](auto view, ImageView<uint8_t> mask) { threshold(view, method_named(method), mask); });
}

std::vector<double> limits_of(const ValueCounts& values, const std::string& method, int classes) {
  std::vector<double> limits;
  if (const FindLimit find = method_named(method); find != nullptr)
    limits.push_back(values.limit(find(values.counts)));
  else
    for (const int bin : multi_otsu_limits(values.counts, classes)) limits.push_back(values.limit(bin));
  return limits;
}

std::vector<double> find_limits(py::object gray, const std::string& method, int classes, py::object mask,
                                int64_t bins) {
  return with_numbers(gray, "gray", [&](auto input) -> std::vector<double> {
    if (input.view.empty())
      throw py::value_error("gray must have pixels to find a limit, got " + shape_text(input.array));
    std::optional<Input<uint8_t>> chosen;
    if (!mask.is_none()) chosen = plane<uint8_t>(mask, "mask");
    return without_gil([&] {
      const ValueCounts values = count_values(input.view, chosen ? chosen->view : ImageView<const uint8_t>{}, bins);
      return method == "mean" ? std::vector{values.mean} : limits_of(values, method, classes);
    });
  });
}

std::vector<double> find_limits_of(const std::vector<int64_t>& counts, const std::string& method, int classes) {
  return limits_of({.counts = counts}, method, classes);
}

AdaptiveMethod adaptive_named(const std::string& method) {
  return method == "mean"       ? AdaptiveMethod::mean
         : method == "gaussian" ? AdaptiveMethod::gaussian
         : method == "sauvola"  ? AdaptiveMethod::sauvola
         : method == "niblack"  ? AdaptiveMethod::niblack
                                : AdaptiveMethod::median;
}

py::array adaptive(py::object gray, int64_t window, const std::string& method, double offset, double k, double r,
                   py::object out) {
  return with_image(gray, "gray", [&](auto input) {
    return made<uint8_t>(input, out, [&](auto view, ImageView<uint8_t> mask) {
      adaptive_threshold(view, window, adaptive_named(method), offset, k, mask, r);
    });
  });
}

LocalLimit local_options(std::array<int64_t, 2> window, const std::string& method, double offset, double k, double r,
                         double sigma, const std::string& border, double constant) {
  return {window[0], window[1], adaptive_named(method), offset, k, r, sigma, border_named(border), constant};
}

py::array local_surface(py::object gray, const LocalLimit& options, py::object out) {
  return with_numbers(gray, "gray", [&](auto input) {
    return made<double>(input, out, [&](auto view, ImageView<double> limit) { local_limit(view, options, limit); });
  });
}

py::array local_mask(py::object gray, const LocalLimit& options, py::object out) {
  return with_numbers(gray, "gray", [&](auto input) {
    return made<uint8_t>(input, out, [&](auto view, ImageView<uint8_t> mask) { local_threshold(view, options, mask); });
  });
}

}  // namespace

void bind_threshold(py::module_& m) {
  m.def("threshold", &threshold_any, py::arg("gray"), py::arg("limit"), py::arg("inside"), py::arg("outside"),
        py::arg("out") = py::none());
  m.def("threshold_kept", &threshold_kept, py::arg("gray"), py::arg("limit"), py::arg("mode"),
        py::arg("out") = py::none());
  m.def("threshold_found", &threshold_found, py::arg("gray"), py::arg("method"), py::arg("out") = py::none());
  m.def("find_limits", &find_limits, py::arg("gray"), py::arg("method"), py::arg("classes"), py::arg("mask"),
        py::arg("nbins"));
  m.def("find_limits_of", &find_limits_of, py::arg("counts"), py::arg("method"), py::arg("classes"));
  m.def("adaptive_threshold", &adaptive, py::arg("gray"), py::arg("window"), py::arg("method"), py::arg("offset"),
        py::arg("k"), py::arg("r"), py::arg("out") = py::none());
  py::class_<LocalLimit>(m, "LocalLimit", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init(&local_options), py::arg("window"), py::arg("method"), py::arg("offset"), py::arg("k"),
           py::arg("r"), py::arg("sigma"), py::arg("mode"), py::arg("cval"));
  m.def("local_limit", &local_surface, py::arg("gray"), py::arg("options"), py::arg("out") = py::none());
  m.def("local_threshold", &local_mask, py::arg("gray"), py::arg("options"), py::arg("out") = py::none());
}

}  // namespace alphacut
