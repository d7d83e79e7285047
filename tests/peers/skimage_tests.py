"""``python -m peers.skimage_tests SOURCE`` (from tests/): scikit-image's own tests with alphacut in its place.

SOURCE is an unpacked source distribution of the scikit-image that is installed; its tests come with it alone
(``pip download --no-binary scikit-image --no-deps scikit-image==VERSION``). Of the tests that reach alphacut, counts
those of two dimensions that pass, and names each that does not with its reason. Exit code 1 if one has none.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

FILES = (
    "filters/test_thresholding.py",
    "measure/test_label.py",
    "measure/test_ccomp.py",
    "measure/test_regionprops.py",
    "morphology/test_misc.py",
    "morphology/test_gray.py",
    "morphology/test_binary.py",
    "morphology/test_isotropic.py",
    "morphology/test_reconstruction.py",
    "filters/test_gaussian.py",
)
# Where alphacut promises something else, and why.
REASONS = {
    "test_otsu_one_color_image": "of one colour alphacut gives OpenCV's 0 for uint8",
    "test_otsu_one_color_image_3d": "of one colour alphacut gives OpenCV's 0 for uint8",
    "test_otsu_astro_image": "scikit-image's warning that it counts the channels of a colour picture as gray",
    "test_multiotsu_astro_image": "scikit-image's warning that it counts the channels of a colour picture as gray",
    "test_remove_small_objects_deprecated_min_size": "scikit-image's own deprecated parameters and their warnings",
    "test_remove_small_holes_deprecated_area_threshold": "scikit-image's own deprecated parameters and their warnings",
    "test_deprecation_warning": "scikit-image's own deprecated functions and their warnings",
    "test_triangle_uniform_images": "of one colour alphacut's triangle gives OpenCV's limit",
    "test_triangle_uint_images": "OpenCV's triangle, one bin beyond the ends of the data, is one off",
    "test_triangle_float_images": "OpenCV's triangle, one bin beyond the ends of the data, is one off",
}


class Outcomes:
    """What became of each test that reached alphacut: (passed, reason or None)."""

    def __init__(self, shim):
        self.shim, self.found, self.before = shim, {}, 0

    def pytest_runtest_setup(self, item):
        self.before = self.shim.calls

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        if report.when != "call" or self.shim.calls == self.before:
            return
        reason = None
        if report.failed:
            cause = call.excinfo.value
            reason = str(cause) if isinstance(cause, self.shim.Unsupported) else REASONS.get(item.originalname)
            if reason is None and ("pooch" in str(cause) or isinstance(cause, OSError)):
                reason = "needs a picture that is not installed"
            if reason is None:
                reason = f"UNEXPLAINED: {type(cause).__name__}: {' '.join(str(cause).split())[:160]}"
        self.found[item.nodeid.split("tests/skimage/")[-1]] = (report.passed, reason)


def main():
    skimage = pytest.importorskip("skimage")
    source = Path(sys.argv[1]) if len(sys.argv) == 2 else None
    tests = source and source / "tests" / "skimage"
    if not tests or not tests.is_dir():
        print(f"skipped: needs the unpacked source distribution of scikit-image {skimage.__version__} as its argument")
        return 0
    from . import skimage_shim

    skimage_shim.put_in_place()
    outcomes = Outcomes(skimage_shim)
    with tempfile.NamedTemporaryFile(suffix=".ini") as settings:
        settings.write(b"[pytest]\n")
        settings.flush()
        options = ["-q", "--no-header", "--no-summary", "--tb=no", "--noconftest", "-p", "no:cacheprovider"]
        options += ["-c", settings.name, "-k", "not mean_std"]  # slow, of a private function that nothing replaces
        pytest.main([*options, "--rootdir", str(source), *(str(tests / file) for file in FILES)], [outcomes])
    planar = {name: result for name, result in outcomes.found.items() if result[1] != skimage_shim.DIMENSIONS}
    passed = sum(ok for ok, _ in planar.values())
    print(f"\nscikit-image {skimage.__version__}: {passed} of {len(planar)} tests of two dimensions pass")
    print(f"({len(outcomes.found) - len(planar)} of three dimensions are left out)")
    for name, (ok, reason) in planar.items():
        if not ok:
            print(f"  {name}: {reason}")
    return int(any("UNEXPLAINED" in (reason or "") for _, reason in planar.values()))


if __name__ == "__main__":
    sys.exit(main())
