#include <algorithm>
#include <mutex>

#include "alphacut/color.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "grabcut_level.hpp"
#include "numpy_view.hpp"
#include "prompt_view.hpp"
#include "twins.hpp"

namespace alphacut {
namespace {

// Colour models as OpenCV has them: the weights of all Gaussians, then their means, then their covariances.
using Models = std::array<std::vector<double>, 2>;

std::array<std::vector<ColorGaussian>, 2> models_of(const Models& models) {
  std::array<std::vector<ColorGaussian>, 2> sides;
  for (size_t side = 0; side < 2; ++side) {
    const size_t n = models[side].size() / 13;
    const double* from = models[side].data();
    for (size_t k = 0; k < n; ++k) {
      ColorGaussian& g = sides[side].emplace_back();
      g.weight = from[k];
      std::copy_n(from + n + 3 * k, 3, g.mean.begin());
      std::copy_n(from + 4 * n + 9 * k, 9, g.covariance.begin());
    }
  }
  return sides;
}

py::list model_arrays(const std::array<std::vector<ColorGaussian>, 2>& sides) {
  py::list arrays;
  for (const auto& side : sides) {
    const auto n = static_cast<py::ssize_t>(side.size());
    py::array_t<double> array(13 * n);
    double* to = array.mutable_data();
    for (py::ssize_t k = 0; k < n; ++k) {
      const ColorGaussian& g = side[static_cast<size_t>(k)];
      to[k] = g.weight;
      std::copy_n(g.mean.begin(), 3, to + n + 3 * k);
      std::copy_n(g.covariance.begin(), 9, to + 4 * n + 9 * k);
    }
    arrays.append(array);
  }
  return arrays;
}

// A GrabCutter and the picture it looks at.
class Cutter {
 public:
  Cutter(py::handle picture, double gamma)
      : given_(array_argument(picture, "image")), image_(in_bytes(picture)), cutter_(made(image_.view, gamma)) {}

  py::tuple cut(py::handle labels, const Corners& corners, py::handle unary_array, const GrabCutOptions& options,
                py::handle out) {
    const int64_t height = image_.view.height, width = image_.view.width;
    std::optional<Input<uint8_t>> hints;
    if (!labels.is_none()) hints = plane<uint8_t>(labels, "labels");
    std::optional<Input<float>> unary;
    if (!unary_array.is_none()) unary = plane<float>(unary_array, "unary");
    const std::optional<Box> box = box_of(corners);
    const auto mask = output<uint8_t>(out, height, width, 0, {given_, labels, unary_array});
    const auto found = output<uint8_t>(py::none(), height, width, 0, {});
    GrabCutResult result;
    without_gil([&] {
      std::lock_guard lock(mutex_);
      result = cutter_.cut(hints ? hints->view : ImageView<const uint8_t>{}, box,
                           unary ? unary->view : ImageView<const float>{}, options, found);
      parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y) {
          const uint8_t* __restrict side = found.view.row(y);
          uint8_t* __restrict row = mask.view.row(y);
          for (int64_t x = 0; x < width; ++x) row[x] = (side[x] & 1) != 0 ? 255 : 0;
        }
      });
    });
    return py::make_tuple(mask.array, found.array, result.energy, result.n_iter, result.exact, result.warnings,
                          model_arrays(result.models));
  }

 private:
  static GrabCutter made(ImageView<const uint8_t> image, double gamma) {
    return without_gil([&] { return GrabCutter(image, gamma); });
  }
  py::array given_;
  Input<uint8_t> image_;  // the same in 8 bits
  GrabCutter cutter_;
  std::mutex mutex_;
};

// The pieces that the GPU's GrabCut shares with this one: all but the pixels' work at the larger sizes.

py::tuple plan(int64_t height, int64_t width, const Corners& corners) {
  const GrabCutPlan found = plan_grabcut(height, width, box_of(corners));
  py::list boxes;
  for (const Box& box : found.boxes) boxes.append(py::make_tuple(box.x, box.y, box.width, box.height));
  return py::make_tuple(found.sizes, boxes, found.warnings);
}

template <class T>
py::array_t<T> packed(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::tuple cut_coarse(py::handle picture, double gamma, py::handle labels, const Corners& corners,
                     py::handle unary_array, const GrabCutOptions& options) {
  const Input<uint8_t> image = in_bytes(picture);
  const auto hints = plane<uint8_t>(labels, "labels");
  std::optional<Input<float>> unary;
  if (!unary_array.is_none()) unary = plane<float>(unary_array, "unary");
  const auto found = output<uint8_t>(py::none(), image.view.height, image.view.width, 0, {});
  GrabCutResult result;
  GrabCutModels models;  // of this size
  without_gil([&] {
    result = GrabCutter(image.view, gamma)
                 .cut(hints, box_of(corners), unary ? unary->view : ImageView<const float>{}, options, found, &models);
  });
  py::object log_odds = py::none();
  if (models.log_odds.data() != nullptr) {
    const auto map = output<float>(py::none(), models.log_odds.height(), models.log_odds.width(), 0, {});
    std::copy_n(models.log_odds.data(), models.log_odds.pixels(), map.view.row(0));
    log_odds = map.array;
  }
  return py::make_tuple(found.array, packed(models.colours[0]), packed(models.colours[1]), log_odds, result.energy,
                        result.n_iter, result.warnings);
}

// At a larger size.
py::tuple edge_weights(double gamma, uint64_t sum, uint64_t edges) {
  const EdgeWeights weights(gamma * kFineGamma, {sum, edges});
  return py::make_tuple(packed(weights.straight), packed(weights.diagonal));
}

// `sums`, int64: count, three sums and six products of each component.
py::array_t<float> refit(const py::array_t<int64_t, py::array::c_style>& sums, int64_t step,
                         const std::vector<float>& old) {
  if (sums.ndim() != 2 || sums.shape(0) != kMaxComponents || sums.shape(1) != 10)
    throw py::value_error("sums must have shape (16, 10)");
  std::array<Rgb8Sums, kMaxComponents> components;
  for (size_t k = 0; k < components.size(); ++k) {
    const int64_t* from = sums.data(static_cast<py::ssize_t>(k), 0);
    components[k].count = from[0];
    std::copy_n(from + 1, 3, components[k].sum.begin());
    std::copy_n(from + 4, 6, components[k].product.begin());
  }
  return packed(refitted(components.data(), step, old));
}

}  // namespace

void bind_grabcut(py::module_& m) {
  py::class_<Cutter>(m, "GrabCutter", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<py::object, double>(), py::arg("image"), py::arg("gamma"))
      .def(
          "cut",
          [](Cutter& cutter, py::object labels, const Corners& box, py::object unary, int max_iter, int n_components,
             int64_t seed, bool clean, bool exact, bool certify, bool resume, py::object out, const Models& models,
             bool freeze_models) {
            return cutter.cut(
                labels, box, unary,
                {max_iter, n_components, seed, clean, exact, certify, resume, false, models_of(models), freeze_models},
                out);
          },
          py::arg("labels"), py::arg("box"), py::arg("unary"), py::arg("max_iter"), py::arg("n_components"),
          py::arg("seed"), py::arg("clean"), py::arg("exact"), py::arg("certify"), py::arg("resume"),
          py::arg("out") = py::none(), py::arg("models") = Models{}, py::arg("freeze_models") = false);
  m.def("grabcut_plan", &plan, py::arg("height"), py::arg("width"), py::arg("box"));
  m.def(
      "grabcut_steps", [](int64_t pixels) { return py::make_tuple(contrast_step(pixels), fit_step(pixels)); },
      py::arg("pixels"));
  m.def("grabcut_picture", [](py::object image) { return in_bytes(image).array; }, py::arg("image"));
  m.def(
      "grabcut_coarse",
      [](py::object image, double gamma, py::object labels, const Corners& box, py::object unary, int max_iter,
         int n_components, int64_t seed, bool clean, bool certify, const Models& models, bool freeze_models) {
        return cut_coarse(
            image, gamma, labels, box, unary,
            {max_iter, n_components, seed, clean, false, certify, false, false, models_of(models), freeze_models});
      },
      py::arg("image"), py::arg("gamma"), py::arg("labels"), py::arg("box"), py::arg("unary"), py::arg("max_iter"),
      py::arg("n_components"), py::arg("seed"), py::arg("clean"), py::arg("certify"), py::arg("models") = Models{},
      py::arg("freeze_models") = false);
  m.def(
      "gaussians",
      [](const std::vector<float>& back, const std::vector<float>& front) {
        return model_arrays({gaussians_of(back), gaussians_of(front)});
      },
      py::arg("background"), py::arg("foreground"));
  m.def("edge_weights", &edge_weights, py::arg("gamma"), py::arg("contrast"), py::arg("edges"));
  m.def("refit", &refit, py::arg("sums"), py::arg("step"), py::arg("old"));
}

}  // namespace alphacut
