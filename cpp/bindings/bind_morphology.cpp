#include <array>

#include "alphacut/morphology.hpp"
#include "alphacut/reconstruction.hpp"
#include "border_named.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

template <class T>
py::array morphology_of(const py::array& given, MorphologyOperation operation, const Neighbourhood& reach,
                        const std::optional<Beyond>& beyond, py::handle out) {
  const auto in = image<T>(given, "image", Pixels::any);
  auto result = output<T>(out, in.view.height, in.view.width, given.ndim() == 2 ? 0 : 3, {given});
  without_gil([&] { morphology<T>(in, operation, reach, result, beyond); });
  return result.array;
}

template <class T>
py::array reconstructed(const py::array& seed, const py::array& mask, Reconstruction method, int connectivity,
                        py::handle out) {
  const auto from = plane<T>(seed, "seed", Pixels::any), within = plane<T>(mask, "mask", Pixels::any);
  auto result = output<T>(out, within.view.height, within.view.width, 0, {seed, mask});
  without_gil([&] { reconstruct<T>(from, within, method, connectivity, result); });
  return result.array;
}

}  // namespace

void bind_morphology(py::module_& m) {
  m.def(
      "morphology",
      [](py::object image, int operation, int64_t down, int64_t across, bool disc,
         const std::vector<std::array<int64_t, 3>>& runs, std::optional<std::string> border, double value,
         py::object out) {
        const auto what = static_cast<MorphologyOperation>(operation);
        Neighbourhood reach{down, across, disc};
        for (const auto& [row, first, last] : runs) reach.runs.push_back({row, first, last});
        std::optional<Beyond> beyond;
        if (border) beyond = Beyond{border_named(*border), value};
        const py::array array = array_argument(image, "image");
        if (has_dtype<uint8_t>(array)) return morphology_of<uint8_t>(array, what, reach, beyond, out);
        if (has_dtype<uint16_t>(array)) return morphology_of<uint16_t>(array, what, reach, beyond, out);
        if (has_dtype<float>(array)) return morphology_of<float>(array, what, reach, beyond, out);
        throw py::type_error("image must have dtype bool, uint8, uint16 or float32, got " +
                             std::string(py::str(array.dtype())));
      },
      py::arg("image"), py::arg("operation"), py::arg("down"), py::arg("across"), py::arg("disc"), py::arg("runs"),
      py::arg("border"), py::arg("cval"), py::arg("out") = py::none());
  m.def(
      "reconstruct",
      [](py::object seed, py::object mask, bool erosion, int connectivity, py::object out) {
        const auto method = erosion ? Reconstruction::erosion : Reconstruction::dilation;
        const py::array from = array_argument(seed, "seed"), within = array_argument(mask, "mask");
        if (has_dtype<uint8_t>(within)) return reconstructed<uint8_t>(from, within, method, connectivity, out);
        if (has_dtype<uint16_t>(within)) return reconstructed<uint16_t>(from, within, method, connectivity, out);
        if (has_dtype<float>(within)) return reconstructed<float>(from, within, method, connectivity, out);
        throw py::type_error("mask must have dtype bool, uint8, uint16 or float32, got " +
                             std::string(py::str(within.dtype())));
      },
      py::arg("seed"), py::arg("mask"), py::arg("erosion"), py::arg("connectivity"), py::arg("out") = py::none());
}

}  // namespace alphacut
